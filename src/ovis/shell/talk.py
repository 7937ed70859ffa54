"""Connections to a node, and what their failures mean to the user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.client.untyped import (
    BlockingConnection,
    CallTimeout,
    ConnectionLost,
    ProtocolError,
    RpcError,
    TcpTarget,
    UnixTarget,
    tls_target,
)
from ovis.shell.failures import Exit, Failure, usage

if TYPE_CHECKING:
    from ovis.schema.model import Schema

SOCKET = "/run/ovis/ovisd.sock"
PKI = "/etc/ovis/pki"
PORT = 54321
# Beyond the verb's own deadline, so that the agent's own word about a timeout arrives first.
MARGIN_SECONDS = 3.0

ACCESS_DENIED = -32001
DEADLINE_PASSED = -32002


@dataclass
class Options:
    """What stood on the command line about the connection and the output."""

    host: str = ""
    socket: str = ""
    pki: str = ""
    timeout: float | None = None
    flow: str = ""
    output: str = ""
    clean: bool = False

    @property
    def socket_path(self) -> str:
        return self.socket or os.environ.get("OVIS_SOCKET") or SOCKET

    @property
    def pki_folder(self) -> Path:
        return Path(self.pki or os.environ.get("OVIS_PKI") or PKI)


def split_host(host: str) -> tuple[str, int]:
    """`host`, `host:port`, `[v6]:port` or a bare IPv6 address."""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif host.count(":") == 1:
        name, _, port = host.partition(":")
    else:
        name, port = host, ""
    if not name or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise usage(f"--host: {host!r} is not HOST or HOST:PORT")
    return name, int(port or PORT)


@contextmanager
def connected(options: Options, *, timeout: float | None = None) -> Iterator[BlockingConnection]:
    """A connection for the body. What goes wrong with it there becomes a Failure; errors of verbs do not."""
    target = target_of(options)
    seconds = timeout or options.timeout
    try:
        connection = BlockingConnection.open(target, timeout=min(seconds or 10.0, 10.0))
    except ConnectionLost as error:
        raise _not_connected(options, error) from error
    try:
        with connection:
            yield connection
    except CallTimeout as error:
        raise Failure(Exit.TIMEOUT, str(error), "Read the state before you repeat the call.") from error
    except ConnectionLost as error:
        raise _lost(options, error) from error
    except ProtocolError as error:
        raise Failure(Exit.NO_CONNECTION, f"{target} does not speak as an agent does: {error}") from error


def target_of(options: Options) -> UnixTarget | TcpTarget:
    """Where the agent is. Raises Failure."""
    if options.host and options.socket:
        raise usage("Give either --host or --socket")
    return _tls_target(options) if options.host else UnixTarget(options.socket_path)


def _tls_target(options: Options) -> TcpTarget:
    name, port = split_host(options.host)
    folder = options.pki_folder
    own = ("key.pem", "cert.pem") if (folder / "cert.pem").exists() else ("admin-key.pem", "admin.pem")
    key, certificate, ca = (str(folder / file) for file in (*own, "ca.pem"))
    for path in (key, certificate, ca):
        _check_readable(path)
    return tls_target(name, port, key=key, certificate=certificate, ca=ca)


def _check_readable(path: str) -> None:
    """Raises Failure. The ssl module says for each of the three files the same and never which."""
    try:
        with open(path, "rb"):
            return
    except OSError as error:
        denied = isinstance(error, PermissionError)
        raise Failure(
            Exit.DENIED if denied else Exit.NO_CONNECTION,
            f"Cannot read {path}: {error.strerror}",
            "TLS needs a key, a certificate and the CA's certificate in one folder: admin-key.pem, admin.pem (or\n"
            "key.pem, cert.pem) and ca.pem. Name it with --pki DIR or OVIS_PKI.",
        ) from error


def lost(options: Options, error: ConnectionLost) -> Failure:
    """What it means that the agent is not reached."""
    return _not_connected(options, error)


def _not_connected(options: Options, lost: ConnectionLost) -> Failure:
    cause = lost.__cause__
    if isinstance(cause, PermissionError):
        return Failure(
            Exit.DENIED,
            f"Access to {lost.address} is denied",
            "The agent's socket is for root and the group ovis: use sudo, or have your user added to that group.",
        )
    if not options.host:
        problem = "there is no such socket" if isinstance(cause, FileNotFoundError) else lost.reason
        return Failure(
            Exit.NO_CONNECTION,
            f"No agent answers at {lost.address}: {problem}",
            "Does the agent run? See: systemctl status ovisd\nElsewhere: --socket PATH, OVIS_SOCKET, or --host HOST.",
        )
    return _lost(options, lost)


def _lost(options: Options, lost: ConnectionLost) -> Failure:
    cause = lost.__cause__
    if not options.host or not _is_tls(cause):
        return Failure(Exit.NO_CONNECTION, str(lost), _network_hint(options, cause))
    reason = lost.reason.lower()
    if "alert" in reason:
        return Failure(
            Exit.DENIED,
            f"{lost.address} refuses the certificate of {options.pki_folder}",
            f"It must be signed by the CA the agent trusts. TLS says: {lost.reason}",
        )
    if "hostname" in reason or "ip address" in reason:
        hint = "Use the name that the agent's certificate holds."
    elif "expired" in reason or "not yet valid" in reason:
        hint = "Look at the clocks of both machines; an expired certificate is renewed on the agent's host."
    else:
        hint = f"Is {options.pki_folder / 'ca.pem'} the CA that signed the agent's certificate?"
    return Failure(Exit.NO_CONNECTION, f"The certificate of {lost.address} is not accepted: {lost.reason}", hint)


def _network_hint(options: Options, cause: BaseException | None) -> str:
    if isinstance(cause, TimeoutError):
        return "Is the host up, and is the port open in its firewall?"
    if options.host and isinstance(cause, ConnectionResetError):
        # with TLS 1.3 the client believes in the connection before the agent has looked at its certificate
        return (
            "An agent that does not trust a certificate does this: is the one in\n"
            f"{options.pki_folder} of its CA, and has it not expired?"
        )
    return ""


def _is_tls(cause: BaseException | None) -> bool:
    import ssl

    return isinstance(cause, ssl.SSLError)


def refused(schema: Schema, method: str, error: RpcError) -> Failure:
    """The Failure for an error answer: number, name, and what the schema says about its cause and remedy."""
    known = schema.errors.get(error.code)
    name = f" {known.name}" if known else ""
    details = [known.doc] if known else []
    if error.data:
        import msgspec

        details.append(f"Details: {msgspec.json.encode(error.data).decode()}")
    exit_code = {ACCESS_DENIED: Exit.DENIED, DEADLINE_PASSED: Exit.TIMEOUT}.get(error.code, Exit.ERROR)
    message = error.message if error.message.startswith(method) else f"{method}: {error.message}"
    return Failure(exit_code, f"{message} [{error.code}{name}]", "\n".join(details))
