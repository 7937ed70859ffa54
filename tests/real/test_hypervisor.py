"""The libvirt driver on a real libvirtd and real QEMUs, stuck and killed ones among them."""

import asyncio
import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.node.hypervisor.errors import (
    AgentError,
    AgentUnavailable,
    DeadlineExceeded,
    HypervisorLost,
    NotResponding,
    StartFailed,
)
from ovis.node.hypervisor.interface import (
    AgentLifecycle,
    ConnectionLost,
    ConnectionRestored,
    DomainState,
    Hypervisor,
    Paused,
    ShutDown,
    ShutdownMode,
    Stopped,
    Subscription,
)
from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor, connect
from tests.node.hypervisor.contract import CHANNEL, Contract, domain_xml, heard

LIMIT = 200.0
AT_ONCE = 1.0  # far below every deadline, far above what a loaded machine needs
Body = Callable[[LibvirtHypervisor], Awaitable[None]]


class TestLibvirt(Contract):
    @pytest.fixture(autouse=True)
    def _uri(self, vhost: VirtualHost) -> None:
        self.uri = vhost.libvirt_uri

    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        return connect(self.uri)


def run(vhost: VirtualHost, body: Body) -> None:
    """Leaves no domain behind."""

    async def whole() -> None:
        async with asyncio.timeout(LIMIT), connect(vhost.libvirt_uri) as host:
            try:
                await body(host)
            finally:
                for domain in await host.domains():
                    await host.destroy(domain.id)

    asyncio.run(whole())


def guest_xml(domain_id: str, guest: TinyGuest) -> str:
    boot = f"<kernel>{guest.kernel}</kernel><initrd>{guest.initrd}</initrd><cmdline>quiet</cmdline>"
    return domain_xml(domain_id, devices=CHANNEL).replace("</os>", f"{boot}</os>").replace(">32<", ">128<")


async def domains(host: LibvirtHypervisor, count: int) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for domain_id in ids:
        await host.create(domain_xml(domain_id))
    return ids


def qemu(vhost: VirtualHost, domain_id: str) -> int:
    for pid in vhost.processes():
        if domain_id.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise LookupError(domain_id)


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def ping_for_ever(host: LibvirtHypervisor, domain_id: str) -> None:
    while True:
        await host.agent(domain_id, {"execute": "guest-ping"}, deadline=3)


async def until(truth: Callable[[], bool]) -> None:
    while not truth():  # noqa: ASYNC110 - threads make it true; the run has a limit
        await asyncio.sleep(0.01)


async def told(events: Subscription, kind: type[object]) -> None:
    while not isinstance(await events.next(), kind):
        pass


def test_sampling_goes_on_beside_a_stuck_qemu(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        stuck, *well = await domains(host, 3)
        with stopped(qemu(vhost, stuck)):
            begun = time.monotonic()
            first = await host.sample(deadline=5)
            assert time.monotonic() - begun < 5
            assert not first.degraded
            assert all(first.domains[each].monitored and first.domains[each].responding for each in well)
            assert not first.domains[stuck].responding
            assert first.domains[stuck].state is DomainState.RUNNING
            for _ in range(5):
                begun = time.monotonic()
                later = await host.sample(deadline=5)
                assert time.monotonic() - begun < AT_ONCE
                assert all(later.domains[each].monitored for each in well)
                assert later.domains[stuck].stuck_for > first.domains[stuck].stuck_for
            assert host.pools["sampling"].lost == 1
        await until(lambda: host.pools["sampling"].lost == 0)
        assert (await host.sample()).domains[stuck].monitored

    run(vhost, body)


def test_more_stuck_qemus_than_threads_cost_the_details_only(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        everyone = await domains(host, 5)
        stuck = everyone[:4]
        with stopped(*(qemu(vhost, each) for each in stuck)):
            for _ in range(3):
                begun = time.monotonic()
                sample = await host.sample(deadline=4)
                assert time.monotonic() - begun < 4
                assert set(sample.domains) == set(everyone)
            assert sample.degraded
            assert sample.domains[everyone[4]].responding
            assert sample.domains[everyone[4]].cpu_time
            assert host.pools["sampling"].lost < host.pools["sampling"].threads
        await until(lambda: host.pools["sampling"].lost == 0)
        assert all(each.monitored for each in (await host.sample()).domains.values())

    run(vhost, body)


def test_calls_to_a_stuck_qemu_do_not_pile_up(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        stuck, well = await domains(host, 2)
        with stopped(qemu(vhost, stuck)):
            with pytest.raises(DeadlineExceeded) as caught:
                await host.suspend(stuck, deadline=0.5)
            assert caught.value.started
            begun = time.monotonic()
            for _ in range(20):
                with pytest.raises(NotResponding):
                    await host.suspend(stuck)
            assert (await host.info(stuck)).id == stuck
            assert stuck in await host.xml(stuck)
            await host.suspend(well)
            assert time.monotonic() - begun < AT_ONCE
            assert host.pools["lifecycle"].lost == 1
        await until(lambda: host.pools["lifecycle"].lost == 0)
        assert (await host.info(stuck)).state is DomainState.PAUSED  # what was asked for happened after all

    run(vhost, body)


def test_stuck_qemu_can_be_destroyed(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (stuck,) = await domains(host, 1)
        os.kill(qemu(vhost, stuck), signal.SIGSTOP)
        with pytest.raises(DeadlineExceeded):
            await host.suspend(stuck, deadline=0.5)
        async with host.events() as events:
            await host.destroy(stuck)
            await heard(events, Stopped, stuck)
        await until(lambda: host.pools["lifecycle"].lost == 0)

    run(vhost, body)


def test_killed_qemu_is_told(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (me,) = await domains(host, 1)
        async with host.events() as events:
            os.kill(qemu(vhost, me), signal.SIGKILL)
            assert (await heard(events, Stopped, me)).reason == "failed"

    run(vhost, body)


def test_vm_outlives_the_death_of_libvirtd_and_events_flow_again(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (me,) = await domains(host, 1)
        pid = qemu(vhost, me)
        await host.set_metadata(me, "urn:x", "x", "<kept/>")
        async with host.events() as events:
            (daemon,) = vhost.processes("libvirtd")
            os.kill(daemon, signal.SIGKILL)
            await told(events, ConnectionLost)
            cpu, begun = time.process_time(), time.monotonic()
            for _ in range(100):
                with pytest.raises(HypervisorLost):
                    await host.info(me)
            assert time.monotonic() - begun < AT_ONCE
            await asyncio.to_thread(vhost.start_libvirtd)
            await told(events, ConnectionRestored)
            spent, elapsed = time.process_time() - cpu, time.monotonic() - begun
            assert spent < 0.1 + elapsed / 2, "a busy loop while disconnected"
            assert (await host.info(me)).state is DomainState.RUNNING
            assert qemu(vhost, me) == pid
            assert "kept" in (await host.metadata(me, "urn:x") or "")
            await host.suspend(me)
            await heard(events, Paused, me)
            assert (await host.sample()).domains[me].monitored

    run(vhost, body)


def test_calls_under_way_end_when_libvirtd_dies(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (me,) = await domains(host, 1)
        with stopped(qemu(vhost, me)):
            waiting = asyncio.ensure_future(host.suspend(me, deadline=60))
            await until(lambda: host.pools["lifecycle"].running == 1)
            os.kill(vhost.processes("libvirtd")[0], signal.SIGKILL)
            with pytest.raises(HypervisorLost):
                await waiting
            await asyncio.to_thread(vhost.start_libvirtd)
        async with asyncio.timeout(30):
            await until(lambda: host.connected)
        assert (await host.info(me)).id == me

    run(vhost, body)


def test_silent_libvirtd_costs_only_the_deadlines(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (me,) = await domains(host, 1)
        with stopped(*vhost.processes("libvirtd")):
            with pytest.raises(DeadlineExceeded):
                await host.info(me, deadline=0.5)
            with pytest.raises(DeadlineExceeded):
                await host.sample(deadline=1)
        await until(lambda: not any(pool.lost for pool in host.pools.values()))
        assert (await host.info(me)).id == me

    run(vhost, body)


def test_agent_may_start_before_libvirtd(vhost: VirtualHost) -> None:
    async def body() -> None:
        os.kill(vhost.processes("libvirtd")[0], signal.SIGKILL)
        try:
            async with asyncio.timeout(LIMIT), connect(vhost.libvirt_uri, wait=0.3) as host:
                assert not host.connected
                with pytest.raises(HypervisorLost):
                    await host.domains()
                async with host.events() as events:
                    await asyncio.to_thread(vhost.start_libvirtd)
                    await told(events, ConnectionRestored)
                    assert await host.domains() == []
        finally:
            if not vhost.processes("libvirtd"):
                vhost.start_libvirtd()

    asyncio.run(body())


def test_missing_disk_is_a_failed_start_that_leaves_nothing(vhost: VirtualHost) -> None:
    disk = "<disk type='file' device='disk'><source file='/nowhere/at/all'/><target dev='vda' bus='virtio'/></disk>"

    async def body(host: LibvirtHypervisor) -> None:
        with pytest.raises(StartFailed) as caught:
            await host.create(domain_xml(str(uuid.uuid4()), devices=disk))
        assert "/nowhere/at/all" in caught.value.message
        assert await host.domains() == []

    run(vhost, body)


def test_nothing_is_left_after_close(vhost: VirtualHost) -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (me,) = await domains(host, 1)
        await host.sample()
        await host.destroy(me)

    run(vhost, body)  # libvirt's event thread stays: one for the process
    before = threading.active_count()
    files = len(os.listdir("/proc/self/fd"))
    run(vhost, body)
    deadline = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
    assert len(os.listdir("/proc/self/fd")) <= files


def test_guest_agent_answers_and_shuts_down(vhost: VirtualHost, guest_image: TinyGuest) -> None:
    me = str(uuid.uuid4())

    async def body(host: LibvirtHypervisor) -> None:
        async with host.events() as events:
            await host.create(guest_xml(me, guest_image))
            while not (await heard(events, AgentLifecycle, me)).connected:
                pass
            assert await host.agent(me, {"execute": "guest-ping"}, deadline=20) == {}
            with pytest.raises(AgentError) as caught:
                await host.agent(me, {"execute": "guest-fly"})
            assert "guest-fly" in caught.value.message
            await host.shutdown(me, ShutdownMode.AGENT)
            assert (await heard(events, ShutDown, me)).reason == "guest"
            assert (await heard(events, Stopped, me)).reason == "shutdown"

    run(vhost, body)


def test_guest_agent_that_hangs_costs_only_the_deadline(vhost: VirtualHost, guest_image: TinyGuest) -> None:
    me = str(uuid.uuid4())
    stop = {
        "path": "/bin/sh",
        "arg": ["-c", "kill -STOP $(cat /run/qemu-ga.pid)"],
    }

    async def body(host: LibvirtHypervisor) -> None:
        async with host.events() as events:
            await host.create(guest_xml(me, guest_image))
            while not (await heard(events, AgentLifecycle, me)).connected:
                pass
        await host.agent(me, {"execute": "guest-ping"}, deadline=20)
        with contextlib.suppress(AgentUnavailable, DeadlineExceeded):  # it may be stopped before it answers
            await host.agent(me, {"execute": "guest-exec", "arguments": stop}, deadline=3)
        with pytest.raises((AgentUnavailable, DeadlineExceeded)):
            await ping_for_ever(host, me)  # the signal may take its time
        await until(lambda: host.pools["agent"].running == 0)  # libvirt has ended the wait
        with pytest.raises(AgentUnavailable):
            await host.agent(me, {"execute": "guest-ping"}, deadline=30)
        await host.suspend(me)

    run(vhost, body)
