"""Moving a running domain to another libvirtd, and into a file and back: the part of the hypervisor for it.

A migration is one long call that libvirt carries on even when its caller is gone; `progress` finds it again.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Route:
    """Where a domain goes. `daemon` is the libvirt URI of the other host, `memory` the URI for the memory itself (None:
    libvirt chooses), `certificate_name` the host name that QEMU's certificate there must show (None: that of the URI).
    """

    daemon: str
    memory: str | None = None
    certificate_name: str | None = None
    consoles: str | None = None
    """URI such as vnc://host that console clients are told to move to."""


@dataclass(frozen=True)
class Method:
    """How a domain goes. `bandwidth` in bytes per second, 0 without limit; `connections` 0 is the plain single one."""

    bandwidth: int = 0
    connections: int = 0
    encrypted: bool = False
    tunnelled: bool = False
    compressed: bool = False
    auto_converge: bool = False
    zero_copy: bool = False
    post_copy: bool = False
    """Makes the switch to post-copy possible; `start_post_copy` does it."""
    abort_on_error: bool = True
    unsafe: bool = False
    """Also with disk caches that libvirt calls unsafe."""


class JobKind(StrEnum):
    MIGRATION_OUT = "migration_out"
    MIGRATION_IN = "migration_in"
    SAVE = "save"
    OTHER = "other"


@dataclass(frozen=True)
class JobProgress:
    """A job on a domain that is under way. Sizes in bytes; 0 where libvirt does not say (yet)."""

    kind: JobKind
    total: int = 0
    remaining: int = 0
    iteration: int = 0


class Migration(Protocol):
    async def migrate(
        self, domain_id: str, route: Route, method: Method, *, xml: str | None = None, deadline: float | None = None
    ) -> None:
        """Move the domain, CPUs running; returns when it runs there and is gone here. `xml`: how it shall look there.

        After an error ask `info` and the destination: usually the domain runs on here and nothing of it is there, but
        when a daemon or the network failed at the switch-over it may stand paused ("migration") on either side.
        """
        ...

    async def progress(self, domain_id: str, *, deadline: float | None = None) -> JobProgress | None:
        """The job that runs on the domain now; None without one."""
        ...

    async def cancel(self, domain_id: str, *, deadline: float | None = None) -> None:
        """Ask a migration or save to stop; its own call then fails. Raises OperationRefused where none runs (yet)."""
        ...

    async def set_bandwidth(self, domain_id: str, bandwidth: int, *, deadline: float | None = None) -> None:
        """Bytes per second, also of a migration under way."""
        ...

    async def set_downtime(self, domain_id: str, seconds: float, *, deadline: float | None = None) -> None:
        """The longest standstill allowed at the end. Before or during the migration."""
        ...

    async def start_post_copy(self, domain_id: str, *, deadline: float | None = None) -> None:
        """Switch over now and fetch the rest of the memory afterwards. From here on there is no way back."""
        ...

    async def migratable_xml(self, domain_id: str, *, secure: bool, deadline: float | None = None) -> str:
        """The description as another host needs it, without what only this one knows. `secure` as in `xml`."""
        ...

    async def save(self, domain_id: str, path: str, *, deadline: float | None = None) -> None:
        """Write the domain into a file and end it. After an error it runs as before, or libvirt went away: `info`."""
        ...

    async def restore(self, path: str, *, paused: bool, xml: str | None = None, deadline: float | None = None) -> None:
        """Start a domain from such a file, which stays. Raises BadDomainXml, StartFailed, DomainExists."""
        ...

    async def saved_xml(self, path: str, *, deadline: float | None = None) -> str:
        """The description in such a file. Raises OperationFailed when it is none, or was not written to its end."""
        ...
