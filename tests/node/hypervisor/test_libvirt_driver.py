"""The driver on libvirt's own test hypervisor, which lives in this process: no root, no daemon, no QEMU.

The contract runs in tests/real, where QEMU is; this is what can be said without.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ovis.node.hypervisor.errors import (
    AgentUnavailable,
    BadDomainXml,
    DomainExists,
    DomainNotFound,
    HypervisorLost,
    OperationRefused,
)
from ovis.node.hypervisor.interface import DomainState, Paused, Resumed, Started, Stopped
from ovis.node.hypervisor.libvirt_driver import LibvirtHypervisor, connect
from tests.node.hypervisor.contract import heard

ME = "11111111-2222-4333-8444-555555555555"


def xml(domain_id: str = ME, name: str = "") -> str:
    return f"""<domain type='test'><name>{name or domain_id}</name><uuid>{domain_id}</uuid>
      <memory unit='MiB'>8</memory><os><type>hvm</type></os></domain>"""


def run(body: Callable[[LibvirtHypervisor], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30), connect("test:///default") as host:
            await body(host)

    asyncio.run(whole())


def test_life_of_a_domain_and_its_events() -> None:
    async def body(host: LibvirtHypervisor) -> None:
        async with host.events() as events:
            info = await host.create(xml())
            assert (info.state, info.persistent) == (DomainState.RUNNING, False)
            await heard(events, Started, ME)
            await host.suspend(ME)
            await host.suspend(ME)
            assert (await heard(events, Paused, ME)).reason == "paused"
            await host.resume(ME)
            await host.resume(ME)
            assert (await heard(events, Resumed, ME)).reason == "unpaused"
            await host.destroy(ME)
            assert (await heard(events, Stopped, ME)).reason == "destroyed"
        with pytest.raises(DomainNotFound):
            await host.info(ME)

    run(body)


def test_persistent_domain_of_others_is_told() -> None:
    async def body(host: LibvirtHypervisor) -> None:
        (theirs,) = await host.domains()  # the test hypervisor begins with one
        assert (theirs.name, theirs.persistent) == ("test", True)
        assert theirs.id in (await host.sample()).domains

    run(body)


def test_refusals() -> None:
    async def body(host: LibvirtHypervisor) -> None:
        await host.create(xml())
        with pytest.raises(DomainExists):
            await host.create(xml())
        with pytest.raises(DomainExists):
            await host.create(xml(str(uuid.uuid4()), name=ME))
        for bad in ("", "<domain", "<domain/>", xml(str(uuid.uuid4()), name="x").replace("hvm", "abacus")):
            with pytest.raises(BadDomainXml):
                await host.create(bad)
        with pytest.raises(OperationRefused):
            await host.set_metadata(ME, "urn:x", "x", "<a")
        with pytest.raises(AgentUnavailable):
            await host.agent(ME, {"execute": "guest-ping"})

    run(body)


def test_five_hundred_domains_are_listed_in_two_calls() -> None:
    async def body(host: LibvirtHypervisor) -> None:
        ids = {str(uuid.uuid4()) for _ in range(500)}
        await asyncio.gather(*(host.create(xml(domain_id)) for domain_id in ids))
        assert ids < {domain.id for domain in await host.domains()}
        assert ids < set((await host.sample()).domains)

    run(body)


def test_closed_hypervisor_refuses_and_ends_its_subscriptions() -> None:
    async def body() -> None:
        async with connect("test:///default") as host:
            events = host.events()
        with pytest.raises(HypervisorLost):
            await host.domains()
        assert [event async for event in events] == []
        assert not host.connected

    asyncio.run(asyncio.wait_for(body(), 30))


def test_absent_daemon_is_told_at_once(tmp_path: Path) -> None:
    async def body() -> None:
        async with connect(f"qemu+unix:///system?socket={tmp_path}/none", wait=0.3) as host:
            assert not host.connected
            begun = time.monotonic()
            with pytest.raises(HypervisorLost) as caught:
                await host.domains()
            assert time.monotonic() - begun < 5
            assert str(tmp_path) in caught.value.reason

    asyncio.run(asyncio.wait_for(body(), 30))
