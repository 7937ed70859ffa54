"""Where the image transfer daemon of a host answers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ovis.client.images.transfer import Place
from ovis.shell.talk import Options, split_host

PORT = 54322


@dataclass(frozen=True)
class DataPlace:
    """`socket`: of the daemon on this machine, which is quicker than TLS; empty: over the network."""

    host: str
    port: int
    authority: Path
    socket: str = ""

    def of(self, ticket: str) -> Place:
        host = f"[{self.host}]" if ":" in self.host else self.host
        url = f"https://{host}:{self.port}/images/{ticket}"
        return Place(url, socket=self.socket) if self.socket else Place(url, self._context)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))


def data_place(options: Options, port: int | None, socket: str) -> DataPlace:
    """On the agent's host. Raises Failure."""
    host = split_host(options.host)[0] if options.host else "localhost"
    return DataPlace(host, port or PORT, options.pki_folder / "ca.pem", socket)
