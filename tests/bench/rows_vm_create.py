"""What the agent adds to the start of a VM: VM.create until it runs, against `virsh create` of the same description.

Both take turns in the same seconds, on the same libvirtd. The agent's time ends with its event "Powering up", which is
sent when libvirt has started the VM and the agent has looked at it; virsh's ends with its process. `virsh` pays for the
start of a process, so the time of the bare libvirt call on an open connection stands beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import real_libvirt
import real_vms
from agent import Agent, Setting, running
from bench import Bench
from real_libvirt import RealLibvirt
from real_vms import Followed
from rows import Round, loaded, row
from vms import vm_id

GROUP = "VMs on a real libvirt: time until they run"
_TARGET = 1.15
_PLAIN = 1000
"""Added to the numbers of those that the agent does not make."""
IDLE = "one VM of 16 MiB without devices, against virsh create"
SERVER = "one VM with two disks and two network cards, against virsh create"
_AT_ONCE = 50


def measure(bench: Bench) -> None:
    many = 5 if bench.quick else _AT_ONCE
    at_once = f"{many} VMs at once, against as many virsh create at once"
    if not bench.wants_any([IDLE, SERVER, at_once]):
        return
    if reason := real_libvirt.why_not():
        bench.notes.append(f"{GROUP}: {reason}")
        return
    with real_libvirt.running() as host, running(Setting(uri=host.uri, obedient=False)) as agent:
        real_vms.await_probed(agent)
        with real_vms.followed(agent) as follower:
            compare = _Comparison(host, agent, follower)
            if bench.wants(IDLE):
                compare.one_by_one(bench, IDLE, real_vms.idle_xml)
            if bench.wants(SERVER):
                disks = agent.folder / "disks"
                compare.one_by_one(bench, SERVER, lambda number: real_vms.server_xml(number, disks, host.bridge))
            if bench.wants(at_once):
                compare.all_at_once(bench, at_once, many)


class _Comparison:
    def __init__(self, host: RealLibvirt, agent: Agent, follower: Followed) -> None:
        self._host = host
        self._agent = agent
        self._follower = follower

    def one_by_one(self, bench: Bench, name: str, describe: Callable[[int], str]) -> None:
        rounds, each = (1, 2) if bench.quick else (5, 6)
        self._trio(0, describe)  # what is read for the first time
        bench.add(row(GROUP, name, [self._round(describe, each) for _ in range(rounds)], "x", target=_TARGET))

    def _round(self, describe: Callable[[int], str], each: int) -> Round:
        def compare() -> tuple[float, Mapping[str, float]]:
            trios = [self._trio(number, describe) for number in range(each)]
            agent, virsh, bare = (statistics.median(times) for times in zip(*trios, strict=True))
            return agent / virsh, {"ms agent": agent * 1e3, "ms virsh": virsh * 1e3, "ms bare call": bare * 1e3}

        return loaded(compare)

    def _trio(self, number: int, describe: Callable[[int], str]) -> tuple[float, float, float]:
        """Seconds of one VM by the agent, by virsh, and by libvirt's call alone; each is gone before the next."""
        ways = [self._by_agent, self._by_virsh, self._by_bare_call]
        turn = number % len(ways)
        times = {way: way(number, describe) for way in (*ways[turn:], *ways[:turn])}
        return times[ways[0]], times[ways[1]], times[ways[2]]

    def _by_agent(self, number: int, describe: Callable[[int], str]) -> float:
        xml = describe(number)
        with self._agent.connect() as connection:
            begin = time.perf_counter()
            real_vms.create(connection, number, xml)
            self._follower.await_started([vm_id(number)])
            seconds = time.perf_counter() - begin
        real_vms.destroy(self._agent, [number])
        return seconds

    def _by_virsh(self, number: int, describe: Callable[[int], str]) -> float:
        (file,) = self._written({number + _PLAIN: describe(number + _PLAIN)})
        begin = time.perf_counter()
        real_vms.virsh_create(self._host, [file])
        seconds = time.perf_counter() - begin
        real_vms.destroy_plainly(self._host, [number + _PLAIN])
        return seconds

    def _by_bare_call(self, number: int, describe: Callable[[int], str]) -> float:
        xml = describe(number + _PLAIN)
        with real_vms.plain_libvirt(self._host) as connection:
            begin = time.perf_counter()
            connection.createXML(xml, 0)
            seconds = time.perf_counter() - begin
        real_vms.destroy_plainly(self._host, [number + _PLAIN])
        return seconds

    def all_at_once(self, bench: Bench, name: str, many: int) -> None:
        def compare() -> tuple[float, Mapping[str, float]]:
            agent, virsh = self._many_by_agent(many), self._many_by_virsh(many)
            return agent / virsh, {"s agent": agent, "s virsh": virsh}

        bench.add(row(GROUP, name, [loaded(compare) for _ in range(1 if bench.quick else 3)], "x", target=_TARGET))

    def _many_by_agent(self, many: int) -> float:
        numbers = range(many)
        begin = time.perf_counter()
        real_vms.create_at_once(self._agent, {number: real_vms.idle_xml(number) for number in numbers})
        self._follower.await_started([vm_id(number) for number in numbers])
        seconds = time.perf_counter() - begin
        real_vms.destroy(self._agent, numbers)
        return seconds

    def _many_by_virsh(self, many: int) -> float:
        numbers = range(_PLAIN, _PLAIN + many)
        files = self._written({number: real_vms.idle_xml(number) for number in numbers})
        begin = time.perf_counter()
        real_vms.virsh_create(self._host, files)
        seconds = time.perf_counter() - begin
        real_vms.destroy_plainly(self._host, numbers)
        return seconds

    def _written(self, xmls: Mapping[int, str]) -> list[Path]:
        files = []
        for number, xml in xmls.items():
            files.append(self._agent.folder / f"{number}.xml")
            files[-1].write_text(xml, encoding="utf-8")
        return files
