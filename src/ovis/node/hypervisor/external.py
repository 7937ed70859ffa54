"""Other libvirts, from which VMs are taken over: the part of the hypervisor for it.

The connections have nothing to do with the agent's own: each call opens one and closes it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from ovis.node.hypervisor.states import DomainState


@dataclass(frozen=True)
class Login:
    """`uri` holds no secret; it appears in logs and error texts."""

    uri: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class ForeignDisk:
    """Sizes in bytes; None where the other side does not say."""

    path: str
    capacity: int | None
    allocation: int | None


@dataclass(frozen=True)
class ForeignDomain:
    """`xml` was written by the other side: it is as hostile as that may be."""

    id: str
    name: str
    state: DomainState
    has_snapshots: bool
    xml: str
    disks: tuple[ForeignDisk, ...] = ()


class External(Protocol):
    """Raises HypervisorLost when the other side cannot be reached or refuses the login."""

    async def names(self, login: Login, *, deadline: float | None = None) -> list[str]: ...

    async def domains(
        self, login: Login, names: Collection[str] = (), *, deadline: float | None = None
    ) -> list[ForeignDomain]:
        """Those of that name, all without any; names that the other side does not know are left out."""
        ...

    async def download(
        self,
        login: Login,
        path: str,
        descriptor: int,
        *,
        limit: int,
        on_bytes: Callable[[int], None],
        deadline: float | None = None,
    ) -> int:
        """Write the file of the disk at `path` there into an empty file here, holes as holes; returns its size.

        It must belong to a storage pool of the other side. `on_bytes` is called in the event loop with what has come
        so far. Raises OperationRefused for more than `limit` bytes. When cancelled the copying ends soon after.
        """
        ...

    def close(self) -> None: ...
