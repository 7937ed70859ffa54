"""The list of connections that must be there: a JSON file that survives power cuts. No secrets are in it.

    {"version": 1, "servers": [{"server": {"kind": "nfs", "export": "nas:/vms", …}, "callers": ["<id>", …]}, …]}

A file that cannot be read is put aside (ending .broken) and told: the engine connects again what it needs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from ovis.node import durable_files
from ovis.node.storage.connections.kinds import AnyServer

log = logging.getLogger(__name__)


class Kept(Struct, frozen=True):
    """`callers`: ids under which callers know it; empty: only for a one-time check, by the all-zero id."""

    server: AnyServer
    callers: frozenset[str] = frozenset()


class _File(Struct, frozen=True):
    version: int
    servers: list[Kept]


def read(file: Path) -> list[Kept]:
    """Blocks. Raises OSError, but not when there is no file."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=_File).servers
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        aside = file.with_name(f"{file.name}.broken")
        log.error("%s cannot be read (%s): put aside as %s", file, error, aside)  # noqa: TRY400
        file.replace(aside)
        return []


def write(file: Path, servers: Iterable[Kept]) -> None:
    """Blocks. Raises OSError; then the old list is there."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable_files.replace(file, msgspec.json.encode(_File(1, sorted(servers, key=lambda kept: kept.server.name))))
