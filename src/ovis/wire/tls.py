"""TLS contexts from three PEM files. Both sides show a certificate of the same private CA, always."""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    key: str
    certificate: str
    ca: str


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2+, client certificate mandatory. Raises OSError, ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # a resumed session would outlive a change of the CA file
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION  # the same for TLS 1.2
    return context


def client_context(files: TlsFiles, *, check_hostname: bool = True) -> ssl.SSLContext:
    """TLS 1.2+ with our certificate. Without `check_hostname` any certificate of the CA will do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.ca)


class ServerContexts:
    """The server's context, made again for new connections when one of the files changed.

    A change that cannot be loaded (half written, key and certificate do not fit) is logged once and the old context
    stays in use.
    """

    def __init__(self, files: TlsFiles) -> None:
        """Raises OSError or ssl.SSLError when the files cannot be used now."""
        self._files = files
        self._seen = self._stamp()
        self._context = server_context(files)

    def current(self) -> ssl.SSLContext:
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = server_context(self._files)
                log.info("Certificates reloaded from %s", self._files.certificate)
            except (OSError, ssl.SSLError) as error:
                log.warning("The changed certificates cannot be used, the old ones stay: %s", error)
        return self._context

    def _stamp(self) -> tuple[object, ...]:
        """What tells a changed file: its number, size and times. None for one that is missing."""
        stamps: list[tuple[int, int, int] | None] = []
        for path in (self._files.key, self._files.certificate, self._files.ca):
            try:
                state = os.stat(path)
            except OSError:
                stamps.append(None)
            else:
                stamps.append((state.st_ino, state.st_size, state.st_mtime_ns))
        return tuple(stamps)
