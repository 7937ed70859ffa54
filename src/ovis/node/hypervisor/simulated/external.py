"""Other libvirts in memory: what stands behind each URI is set by tests."""

import asyncio
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ovis.node.hypervisor.errors import HypervisorLost, OperationRefused
from ovis.node.hypervisor.external import ForeignDomain, Login


@dataclass
class ForeignHost:
    """`volumes`: files of its storage pools by path. `password` None: everybody may log in."""

    domains: list[ForeignDomain] = field(default_factory=list)
    volumes: dict[str, bytes] = field(default_factory=dict)
    password: str | None = None
    hangs: bool = False
    """Downloads never end."""


class SimulatedExternal:
    def __init__(self) -> None:
        self.hosts: dict[str, ForeignHost] = {}

    async def names(self, login: Login, *, deadline: float | None = None) -> list[str]:
        return sorted(domain.name for domain in (await self._open(login)).domains)

    async def domains(
        self, login: Login, names: Collection[str] = (), *, deadline: float | None = None
    ) -> list[ForeignDomain]:
        host = await self._open(login)
        return [domain for domain in host.domains if not names or domain.name in names]

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
        host = await self._open(login)
        if path not in host.volumes:
            raise OperationRefused(f"{path} is in no storage pool of the other host, so it cannot be read")
        if host.hangs:
            await asyncio.Event().wait()
        data = host.volumes[path]
        if len(data) > limit:
            raise OperationRefused(f"the disk has more than the {limit} bytes that are expected")
        os.pwrite(descriptor, data, 0)
        on_bytes(len(data))
        return len(data)

    def close(self) -> None:
        return

    async def _open(self, login: Login) -> ForeignHost:
        await asyncio.sleep(0)
        host = self.hosts.get(login.uri)
        if host is None:
            raise HypervisorLost(f"unable to connect to {login.uri}")
        if host.password not in (None, login.password):
            raise HypervisorLost("authentication failed")
        return host
