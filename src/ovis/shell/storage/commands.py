"""`ovis node storage`: a repository of images on this host, on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ovis.shell.options import node_options
from ovis.shell.output import as_json, as_yaml, chosen_format, write
from ovis.shell.talk import Options

KINDS = ("local", "nfs", "posix", "gluster")


def storage_group() -> click.Group:
    group = click.Group(
        "storage",
        params=node_options(output_only=True),
        help="Use storage without any manager: make a repository of images in a folder or on an NFS server, open "
        "one, list and close it. Images go in and out with `ovis node image`.",
    )
    group.add_command(_create())
    group.add_command(_open())
    group.add_command(_list())
    group.add_command(_close())
    return group


def _target() -> list[click.Parameter]:
    return [
        click.Argument(["kind"], type=click.Choice(KINDS)),
        click.Argument(["target"]),
        click.Option(["--options"], default="", metavar="TEXT", help="Mount options, with commas."),
        click.Option(["--vfs-type"], default="", metavar="TYPE", help="File system type of KIND posix."),
    ]


def _create() -> click.Command:
    def run(kind: str, target: str, options: str, vfs_type: str, name: str, version: int) -> None:
        from ovis.shell.storage import repository
        from ovis.shell.storage.node import typed

        server = repository.Server(kind, target, options, vfs_type)
        with typed(_options()) as node:
            domain = repository.create(node, server, name, version=version)
        _tell({"domain": domain}, f"Repository {name} is open: storage domain {domain}\n")

    return click.Command(
        "create",
        params=[
            *node_options(output_only=True),
            *_target(),
            click.Option(["--name"], required=True, metavar="NAME", help="What people call it, up to 50 characters."),
            click.Option(["--format-version", "version"], type=click.IntRange(3, 5), default=5, help="[5]"),
        ],
        callback=run,
        help="Make a new repository and open it. TARGET is an empty folder (local), SERVER:/EXPORT (nfs, gluster) or "
        "what mount takes (posix).",
    )  # fmt: skip


def _open() -> click.Command:
    def run(kind: str, target: str, options: str, vfs_type: str) -> None:
        from ovis.shell.storage import repository
        from ovis.shell.storage.node import typed

        server = repository.Server(kind, target, options, vfs_type)
        with typed(_options()) as node:
            domains = repository.open_existing(node, server)
        _tell({"domains": domains}, "".join(f"Storage domain {domain} is open\n" for domain in domains))

    return click.Command(
        "open",
        params=[*node_options(output_only=True), *_target()],
        callback=run,
        help="Open a repository that exists, made here or by an engine that does not use it now.",
    )


def _list() -> click.Command:
    def run() -> None:
        from dataclasses import asdict

        from ovis.shell.storage import repository
        from ovis.shell.storage.node import typed
        from ovis.shell.units import human_size

        with typed(_options()) as node:
            rows = list(repository.rows(node))
        lines = [("NAME", "STATUS", "SIZE", "FREE", "MANAGER", "STORAGE DOMAIN")]
        for row in rows:
            total, free = (human_size(size) if size is not None else "-" for size in (row.total, row.free))
            lines.append((row.name or "-", row.status, total, free, "yes" if row.manager else "no", row.domain))
        _tell([asdict(row) for row in rows], table(lines) if rows else "No storage is open on this host\n")

    return click.Command(
        "list", params=node_options(output_only=True), callback=run, help="List the storage that is open on this host."
    )


def _close() -> click.Command:
    def run() -> None:
        from ovis.shell.storage import repository
        from ovis.shell.storage.node import typed

        with typed(_options()) as node:
            pools = repository.close(node)
        _tell({"pools": pools}, "Closed\n" if pools else "No storage was open\n")

    return click.Command(
        "close",
        params=node_options(output_only=True),
        callback=run,
        help="Close all storage of this host; it can be opened elsewhere then. Refused while images are in use.",
    )


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns with two blanks between them."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _options() -> Options:
    return click.get_current_context().ensure_object(Options)


def _tell(value: Any, text: str) -> None:
    output = chosen_format(_options().output)
    write(text if output == "table" else as_yaml(value) if output == "yaml" else as_json(value))
