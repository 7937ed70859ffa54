"""Where a server listens, and the sockets for it."""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from ovis.wire.tls import TlsFiles

PORT = 54321
_BACKLOG = 128
_LONGEST_UNIX_PATH = 107  # sockaddr_un of unix(7), with the zero at its end


@dataclass(frozen=True, slots=True)
class TlsEndpoint:
    """TLS on TCP. `::` serves IPv4 too, and becomes 0.0.0.0 where IPv6 is off; port 0 takes a free one."""

    files: TlsFiles
    host: str = "::"
    port: int = PORT


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """A Unix socket; `mode` and the folder decide who may connect, the peer's credentials what they may do."""

    path: str
    mode: int = 0o660


@dataclass(frozen=True, slots=True)
class PlainEndpoint:
    """TCP without TLS: everybody who reaches it may do everything. For tests and measurements only."""

    host: str = "127.0.0.1"
    port: int = 0


Endpoint = TlsEndpoint | UnixEndpoint | PlainEndpoint


class AddressInUse(OSError):
    """Another process answers at this address."""

    def __init__(self, address: str) -> None:
        super().__init__(errno.EADDRINUSE, f"Another process already listens at {address}")


def listening_socket(endpoint: Endpoint) -> socket.socket:
    """A bound, listening socket. Raises AddressInUse, OSError."""
    if isinstance(endpoint, UnixEndpoint):
        return _unix_socket(endpoint)
    try:
        return _tcp_socket(endpoint.host, endpoint.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(f"{endpoint.host} port {endpoint.port}") from error
        raise


def _tcp_socket(host: str, port: int) -> socket.socket:
    if host == "::":
        if socket.has_dualstack_ipv6():
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
        host = "0.0.0.0"  # noqa: S104 - what the caller asked for, on a machine without IPv6
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _unix_socket(endpoint: UnixEndpoint) -> socket.socket:
    if len(os.fsencode(endpoint.path)) > _LONGEST_UNIX_PATH:
        raise OSError(errno.ENAMETOOLONG, f"A socket's path has at most {_LONGEST_UNIX_PATH} bytes", endpoint.path)
    _remove_stale(endpoint.path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(endpoint.path)
        os.chmod(endpoint.path, endpoint.mode)  # before listen: until then nobody can connect
        server.listen(_BACKLOG)
    except BaseException:
        server.close()
        raise
    return server


def _remove_stale(path: str) -> None:
    """Remove the socket of a server that died. Raises AddressInUse when one still answers."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise AddressInUse(path)  # some file of somebody's: never ours to remove
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
        except (TimeoutError, BlockingIOError):
            pass  # its queue is full: it lives
    raise AddressInUse(path)
