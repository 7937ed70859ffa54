"""What tests and the simulator rely on beyond the contract: time, faults, guests, a daemon that goes away."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import pytest

from ovis.node.hypervisor.errors import (
    AgentError,
    AgentUnavailable,
    DeadlineExceeded,
    DomainExists,
    DomainNotFound,
    HypervisorLost,
    NotResponding,
    StartFailed,
)
from ovis.node.hypervisor.interface import (
    AgentLifecycle,
    ConnectionLost,
    ConnectionRestored,
    DomainState,
    IoError,
    Paused,
    ShutDown,
    ShutdownMode,
    Started,
    Stopped,
)
from ovis.node.hypervisor.simulated import Guest, Load, ManualClock, SimulatedHypervisor
from tests.node.hypervisor.contract import CHANNEL, domain_xml, heard

ME = "11111111-2222-4333-8444-555555555555"
DEVICES = (
    CHANNEL + "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/></disk>"
    "<interface type='bridge'><source bridge='b'/></interface>"
)
XML = domain_xml(ME, devices=DEVICES)
Body = Callable[[SimulatedHypervisor, ManualClock], Awaitable[None]]


def run(body: Body, guest: Guest | None = None, load: Load | None = None) -> None:
    async def whole() -> None:
        clock = ManualClock()
        host = SimulatedHypervisor(clock=clock, guest=guest, load=load)
        try:
            async with asyncio.timeout(20):
                await body(host, clock)
        finally:
            await host.close()

    asyncio.run(whole())


def test_counters_move_with_the_clock_and_rest_while_paused() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        await clock.advance(10)
        await host.suspend(ME)
        await clock.advance(1000)
        await host.resume(ME)
        await clock.advance(10)
        mine = (await host.sample()).domains[ME]
        assert mine.cpu_time == pytest.approx(20 * 0.5 * 2)
        assert mine.interfaces[0].rx_bytes == 20 * 1000
        assert mine.disks[0].write_bytes == 20 * 3

    run(body, load=Load(cpu=0.5, receive=1000, write=3))


def test_told_failure_happens_as_often_as_told() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        host.faults.fail("create", times=2, error=StartFailed("no memory"))
        for _ in range(2):
            with pytest.raises(StartFailed):
                await host.create(XML)
        assert await host.domains() == []
        await host.create(XML)

    run(body)


def test_failure_after_the_work_leaves_the_work_done() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        host.faults.fail("create", error=HypervisorLost("closed (eof)"), after=True)
        with pytest.raises(HypervisorLost):
            await host.create(XML)
        assert (await host.info(ME)).state is DomainState.RUNNING

    run(body)


def test_hanging_call_ends_at_its_deadline() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        host.faults.hang("suspend", domain_id=ME)
        call = asyncio.ensure_future(host.suspend(ME, deadline=7))
        await clock.advance(6.9)
        assert not call.done()
        await clock.advance(0.2)
        with pytest.raises(DeadlineExceeded):
            await call
        assert (await host.info(ME)).state is DomainState.RUNNING

    run(body)


def test_released_call_does_its_work() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        host.faults.hang("suspend")
        call = asyncio.ensure_future(host.suspend(ME))
        await clock.advance(1)
        host.faults.release()
        await call
        assert (await host.info(ME)).state is DomainState.PAUSED

    run(body)


def test_latency_delays_and_passes_a_deadline() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        host.faults.delay("create", 3.0)
        call = asyncio.ensure_future(host.create(XML))
        await clock.advance(2.9)
        assert not call.done()
        await clock.advance(0.2)
        await call
        host.faults.delay("*", 5.0)
        late = asyncio.ensure_future(host.info(ME, deadline=1))
        await clock.advance(1)
        with pytest.raises(DeadlineExceeded):
            await late

    run(body)


def test_two_creates_at_once_make_one_domain() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        results = await asyncio.gather(host.create(XML), host.create(XML), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == [DomainExists.__name__, "DomainInfo"]

    run(body)


def test_stuck_qemu_is_as_the_real_one() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        other = str(uuid.uuid4())
        await host.create(XML)
        await host.create(domain_xml(other))
        host.stick(ME)
        first = asyncio.ensure_future(host.suspend(ME, deadline=5))
        await clock.advance(5)
        with pytest.raises(DeadlineExceeded):
            await first
        with pytest.raises(NotResponding):
            await host.suspend(ME)
        sample = await host.sample()
        assert (sample.domains[ME].responding, sample.domains[ME].stuck_for) == (False, 5)
        assert sample.domains[other].monitored
        assert (await host.info(ME)).id == ME
        host.unstick(ME)
        await host.suspend(ME)
        host.stick(ME)
        await host.destroy(ME)

    run(body)


def test_guest_agent_comes_up_and_answers() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        async with host.events() as events:
            await host.create(XML)
            await heard(events, Started, ME)
            await clock.advance(2.9)
            with pytest.raises(AgentUnavailable):
                await host.agent(ME, {"execute": "guest-ping"})
            await clock.advance(0.2)
            assert (await heard(events, AgentLifecycle, ME)).connected
        assert await host.agent(ME, {"execute": "guest-ping"}) == {}
        assert await host.agent(ME, {"execute": "guest-get-host-name"}) == {"host-name": "web"}
        assert await host.agent(ME, {"execute": "guest-exec", "arguments": {"path": "/x"}}) == {"pid": "/x"}
        with pytest.raises(AgentError):
            await host.agent(ME, {"execute": "guest-fly"})

    answers = {"guest-get-host-name": {"host-name": "web"}, "guest-exec": lambda arguments: {"pid": arguments["path"]}}
    run(body, guest=Guest(agent_after=3.0, answers=answers))


@pytest.mark.parametrize("how", list(ShutdownMode))
def test_obedient_guest_shuts_down_in_its_time(how: ShutdownMode) -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        await clock.advance(0)
        async with host.events() as events:
            await host.shutdown(ME, how)
            await clock.advance(3.9)
            assert (await host.info(ME)).state is DomainState.RUNNING
            await clock.advance(0.2)
            assert (await heard(events, ShutDown, ME)).reason == "guest"
            assert (await heard(events, Stopped, ME)).reason == "shutdown"
        with pytest.raises(DomainNotFound):
            await host.info(ME)

    run(body, guest=Guest(acpi_shutdown_after=4.0, agent_shutdown_after=4.0))


def test_deaf_guest_runs_on() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        await host.shutdown(ME, ShutdownMode.ACPI)
        await clock.advance(3600)
        assert (await host.info(ME)).state is DomainState.RUNNING

    run(body, guest=Guest(acpi_shutdown_after=None))


def test_disk_error_pauses_and_tells_why() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        async with host.events() as events:
            host.io_error(ME, alias="virtio-disk0", path="/d", reason="enospc")
            assert (await heard(events, IoError, ME)).reason == "enospc"
            assert (await heard(events, Paused, ME)).reason == "ioerror"
        assert (await host.info(ME)).reason == "ioerror"

    run(body)


def test_lost_daemon_ends_calls_and_hides_events() -> None:
    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        await host.create(XML)
        host.faults.hang("suspend")
        waiting = asyncio.ensure_future(host.suspend(ME))
        await clock.advance(0)
        async with host.events() as events:
            host.disconnect()
            with pytest.raises(HypervisorLost):
                await waiting
            with pytest.raises(HypervisorLost):
                await host.info(ME)
            assert not host.connected
            host.stop(ME)
            host.reconnect()
            assert isinstance(await events.next(), ConnectionLost)
            assert isinstance(await events.next(), ConnectionRestored)
        assert await host.domains() == []

    run(body)


def test_thousands_of_domains_are_cheap() -> None:
    """The bound is for a loaded machine; 500 take 4-5 ms when it is quiet (2 GHz class, 2 cores)."""

    async def body(host: SimulatedHypervisor, clock: ManualClock) -> None:
        for _ in range(2000):
            await host.create(domain_xml(str(uuid.uuid4()), devices=DEVICES))
        spent = []
        for _ in range(5):
            begun = time.thread_time()
            sample = await host.sample()
            spent.append(time.thread_time() - begun)
        assert len(sample.domains) == 2000
        assert min(spent) < 0.15

    run(body)
