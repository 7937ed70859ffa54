"""Where a client connects to. Imports next to nothing: the one-shot client loads it."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is too heavy here; type checkers know this name
if TYPE_CHECKING:
    from ovis.wire.tls import TlsFiles


class UnixTarget:
    """A Unix socket."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def __str__(self) -> str:
        return self.path


class TcpTarget:
    """A TCP port. Without `tls` plain text, which a real server does not serve.

    `check_hostname`: the certificate must name the host, or `server_name` when that is given.
    """

    __slots__ = ("check_hostname", "host", "port", "server_name", "tls")

    def __init__(
        self,
        host: str,
        port: int = 54321,
        tls: TlsFiles | None = None,
        *,
        check_hostname: bool = True,
        server_name: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.check_hostname = check_hostname
        self.server_name = server_name

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
