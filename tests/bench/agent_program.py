"""`ovisd` whose simulated hypervisor obeys a pipe: `python agent_program.py [options of ovisd]`.

Everything but the hypervisor is the program that is installed. A word on standard input is obeyed and answered by a
line of JSON on standard output:

    reset           the calls of VM.reset: {"begun": n, "threads": n stuck threads}
    hang-calls      they do not end until `release`
    hang-threads    each keeps a thread of a real pool as well, as a stuck QEMU does; there are eight
    release         all of them go on
    created         {"<VM id>": when its creation reached the hypervisor, in seconds of CLOCK_MONOTONIC}
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from vms import GUEST_ANSWERS

from ovis.node import daemon, main
from ovis.node.config import Config
from ovis.node.hypervisor.interface import DomainInfo, Hypervisor
from ovis.node.hypervisor.pools import Pool
from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor

_THREADS = 8
_HANG_SECONDS = 120.0


class ObedientHypervisor(SimulatedHypervisor):
    def __init__(self) -> None:
        super().__init__(guest=Guest(answers=dict(GUEST_ANSWERS)))
        self.created: dict[str, float] = {}
        self.resets = 0
        self._pool = Pool("stuck", threads=_THREADS)
        self._free = threading.Event()
        self._free.set()
        self._go = asyncio.Event()
        self._go.set()

    async def create(self, xml: str, *, paused: bool = False, deadline: float | None = None) -> DomainInfo:
        now = time.monotonic()
        info = await super().create(xml, paused=paused, deadline=deadline)
        self.created[info.id] = now
        return info

    async def reset(self, domain_id: str, *, deadline: float | None = None) -> None:
        self.resets += 1
        if not self._free.is_set():
            await self._pool.run("reset", self._free.wait, deadline=_HANG_SECONDS, domain_id=domain_id)
        await self._go.wait()
        await super().reset(domain_id, deadline=deadline)

    def obey(self, word: str) -> object:
        match word:
            case "reset":
                return {"begun": self.resets, "threads": self._pool.state.running}
            case "hang-calls":
                self.resets = 0
                self._go.clear()
            case "hang-threads":
                self.resets = 0
                self._go.clear()
                self._free.clear()
            case "release":
                self._free.set()
                self._go.set()
            case "created":
                return self.created
            case _:
                return {"unknown": word}
        return {}

    async def close(self) -> None:
        self.obey("release")
        self._pool.close()
        await super().close()


class NotedCreations:
    """Notes when `virConnect.createXML` is entered."""

    def __init__(self) -> None:
        import libvirt

        self.created: dict[str, float] = {}
        create = libvirt.virConnect.createXML

        def noting(connection: libvirt.virConnect, xml: str, flags: int = 0) -> libvirt.virDomain:
            now = time.monotonic()
            found = re.search("<uuid>([0-9a-f-]{36})</uuid>", xml)
            if found:
                self.created[found[1]] = now
            return create(connection, xml, flags)

        libvirt.virConnect.createXML = noting  # type: ignore[method-assign,assignment]

    def obey(self, word: str) -> object:
        return self.created if word == "created" else {"unknown": word}


@asynccontextmanager
async def _open_hypervisor(config: Config) -> AsyncIterator[Hypervisor]:
    if not config.hypervisor.uri.startswith("simulated:"):
        with _obeying(NotedCreations().obey):
            async with _open_installed(config) as hypervisor:
                yield hypervisor
        return
    simulated = ObedientHypervisor()
    with _obeying(simulated.obey):
        try:
            yield simulated
        finally:
            await simulated.close()


@contextmanager
def _obeying(obey: Callable[[str], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        line = sys.stdin.readline()
        if not line:
            loop.remove_reader(sys.stdin)
            return
        print(json.dumps(obey(line.strip())), flush=True)

    loop.add_reader(sys.stdin, asked)
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin)


_open_installed = daemon.open_hypervisor

if __name__ == "__main__":
    daemon.open_hypervisor = _open_hypervisor
    sys.exit(main.main())
