"""TLS contexts from three PEM files. Both sides show a certificate of the same private CA, always."""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ovis.wire.validity import validity

log = logging.getLogger(__name__)

WARN_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    key: str
    certificate: str
    ca: str


class UnusableTlsFile(OSError):
    """One of the three files is missing or not what it should be; OpenSSL's own words never tell which."""

    def __init__(self, path: str, what: str, problem: str) -> None:
        super().__init__(f"{path} cannot be used as the {what}: {problem}")
        self.path = path


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2+, client certificate mandatory. Raises UnusableTlsFile."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # a resumed session would outlive a change of the CA file
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION  # the same for TLS 1.2
    return context


def client_context(files: TlsFiles, *, check_hostname: bool = True) -> ssl.SSLContext:
    """TLS 1.2+ with our certificate. Without `check_hostname` any certificate of the CA will do.

    Raises UnusableTlsFile.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for path, what in ((files.key, "private key"), (files.certificate, "certificate"), (files.ca, "CA")):
        _check_readable(path, what)
    try:
        context.load_cert_chain(files.certificate, files.key)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnusableTlsFile(files.key, "private key", f"it does not belong to {files.certificate}") from error
        raise _not_pem(files, error) from error
    try:
        context.load_verify_locations(files.ca)
    except ssl.SSLError as error:
        raise UnusableTlsFile(files.ca, "CA", "it holds no certificate") from error


def _check_readable(path: str, what: str) -> None:
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise UnusableTlsFile(path, what, error.strerror or str(error)) from error


def _not_pem(files: TlsFiles, error: ssl.SSLError) -> UnusableTlsFile:
    """Which of the two files it is: a certificate alone can be loaded as a CA."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files.certificate)
    except ssl.SSLError:
        return UnusableTlsFile(files.certificate, "certificate", "it holds no certificate in PEM form")
    return UnusableTlsFile(files.key, "private key", f"it holds no key that can be read ({error})")


def warn_of_expiry(files: TlsFiles, *, now: datetime | None = None) -> None:
    """An expired certificate serves on, and every client refuses it: the server's log is where somebody will look."""
    today = now or datetime.now(UTC)
    for path in (files.certificate, files.ca):
        try:
            begin, end = validity(Path(path).read_text(encoding="ascii", errors="replace"))
        except (OSError, ValueError):
            continue  # OpenSSL takes more kinds of files; whatever it took is used
        if end < today:
            log.error("%s has expired at %s: clients refuse it", path, end)
        elif begin > today:
            log.error("%s is not valid before %s: is the clock right?", path, begin)
        elif end < today + WARN_BEFORE:
            log.warning("%s expires at %s", path, end)


class ServerContexts:
    """The server's context, made again for new connections when one of the files changed.

    A change that cannot be loaded (half written, key and certificate do not fit) is logged once and the old context
    stays in use.
    """

    def __init__(self, files: TlsFiles) -> None:
        """Raises UnusableTlsFile when the files cannot be used now."""
        self._files = files
        self._seen = self._stamp()
        self._context = server_context(files)
        warn_of_expiry(files)

    def current(self) -> ssl.SSLContext:
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = server_context(self._files)
                log.info("Certificates reloaded from %s", self._files.certificate)
                warn_of_expiry(self._files)
            except OSError as error:
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
