"""What every hypervisor must do, whoever is behind the interface. A subclass says how to reach one.

The domains have no operating system: QEMU itself is what is looked at.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar
from xml.etree import ElementTree

import pytest

from ovis.node.hypervisor.consoles import GraphicsPassword, StreamLost
from ovis.node.hypervisor.errors import (
    AgentUnavailable,
    BadDomainXml,
    DomainExists,
    DomainNotFound,
    OperationFailed,
    OperationRefused,
)
from ovis.node.hypervisor.interface import (
    DomainEvent,
    DomainState,
    Hypervisor,
    MetadataChanged,
    Paused,
    Rebooted,
    Resumed,
    ShutdownMode,
    Started,
    Stopped,
    Subscription,
)

LIMIT = 60.0
E = TypeVar("E", bound=DomainEvent)
MEMORY = 32 << 20
CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
SERIAL = "<serial type='pty'/>"
SCREEN = "<video><model type='vga'/></video><graphics type='vnc' port='-1' autoport='yes' passwd='geheim'/>"


def domain_xml(domain_id: str, *, name: str = "", devices: str = "", machine: str = "q35") -> str:
    return f"""<domain type='qemu'>
      <name>{name or "contract-" + domain_id[:8]}</name><uuid>{domain_id}</uuid>
      <memory unit='MiB'>{MEMORY >> 20}</memory><vcpu>2</vcpu>
      <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
      <devices><memballoon model='virtio'/>{devices}</devices>
    </domain>"""


async def heard(events: Subscription, kind: type[E], domain_id: str) -> E:
    """Waits for the next such event; the run's limit ends the wait."""
    while True:
        event = await events.next()
        if isinstance(event, kind) and event.domain_id == domain_id:
            return event


class Contract:
    def hypervisor(self) -> AbstractAsyncContextManager[Hypervisor]:
        raise NotImplementedError

    def run(self, body: Callable[[Hypervisor, str], Awaitable[None]]) -> None:
        """`body` gets a free id; the domains that it leaves are removed."""

        async def whole() -> None:
            async with asyncio.timeout(LIMIT), self.hypervisor() as host:
                before = {domain.id for domain in await host.domains()}
                try:
                    await body(host, str(uuid.uuid4()))
                finally:
                    for domain in await host.domains():
                        if domain.id not in before:
                            await host.destroy(domain.id)

        asyncio.run(whole())

    def test_created_domain_runs_and_is_told(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as events:
                info = await host.create(domain_xml(me))
                assert (info.id, info.name, info.state) == (me, f"contract-{me[:8]}", DomainState.RUNNING)
                assert not info.persistent
                assert (await heard(events, Started, me)).reason == "booted"
            assert await host.info(me) == info
            assert info in await host.domains()

        self.run(body)

    def test_paused_start_waits_for_resume(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as events:
                info = await host.create(domain_xml(me), paused=True)
                assert (info.state, info.reason) == (DomainState.PAUSED, "user")
                assert (await heard(events, Paused, me)).reason == "paused"
                await host.resume(me)
                assert (await heard(events, Resumed, me)).reason == "unpaused"
            assert (await host.info(me)).state is DomainState.RUNNING

        self.run(body)

    def test_suspend_and_resume_can_be_repeated(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            for _ in range(2):
                await host.suspend(me)
            assert (await host.info(me)).state is DomainState.PAUSED
            for _ in range(2):
                await host.resume(me)
            assert (await host.info(me)).state is DomainState.RUNNING

        self.run(body)

    def test_taken_id_and_taken_name_are_refused(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            with pytest.raises(DomainExists) as same:
                await host.create(domain_xml(me))
            assert same.value.domain == me
            with pytest.raises(DomainExists) as id_only:
                await host.create(domain_xml(me, name=f"other-{me[:8]}"))
            assert id_only.value.domain == me
            with pytest.raises(DomainExists) as name_only:
                await host.create(domain_xml(str(uuid.uuid4()), name=f"contract-{me[:8]}"))
            assert name_only.value.domain == f"contract-{me[:8]}"
            assert (await host.info(me)).state is DomainState.RUNNING

        self.run(body)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda xml: xml[:-4],
            lambda xml: "",
            lambda xml: "<network/>",
            lambda xml: xml.replace("<name>", "<title>").replace("</name>", "</title>"),
            lambda xml: xml.replace("machine='q35'", "machine='zx81'"),
            lambda xml: xml.replace(">32<", ">plenty<"),
            lambda xml: xml.replace(">32<", ">0<"),
            lambda xml: xml.replace("unit='MiB'", "unit='bushel'"),
            lambda xml: xml.replace("<uuid>", "<uuid>x"),
        ],
        ids=["cut", "empty", "other root", "no name", "machine", "memory text", "no memory", "unit", "uuid"],
    )
    def test_bad_description_is_refused_and_leaves_nothing(self, spoil: Callable[[str], str]) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            before = await host.domains()
            with pytest.raises(BadDomainXml):
                await host.create(spoil(domain_xml(me)))
            assert await host.domains() == before

        self.run(body)

    def test_destroyed_domain_is_gone(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            async with host.events() as events:
                await host.destroy(me)
                assert (await heard(events, Stopped, me)).reason == "destroyed"
            with pytest.raises(DomainNotFound):
                await host.destroy(me)
            assert me not in {domain.id for domain in await host.domains()}
            assert me not in (await host.sample()).domains

        self.run(body)

    def test_unknown_domain_is_named(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            for call in (
                host.info(me), host.suspend(me), host.resume(me), host.reset(me), host.destroy(me), host.xml(me),
                host.metadata(me, "urn:x"), host.set_metadata(me, "urn:x", "x", "<a/>"), host.screenshot(me),
                host.shutdown(me, ShutdownMode.ACPI), host.reboot(me, ShutdownMode.AGENT),
                host.agent(me, {"execute": "guest-ping"}), host.info("no uuid at all"),
            ):  # fmt: skip
                with pytest.raises(DomainNotFound) as caught:
                    await call
                assert caught.value.domain_id in (me, "no uuid at all")

        self.run(body)

    def test_metadata_is_kept_replaced_and_removed(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            uri = "http://example.org/vm/1.0"
            await host.create(domain_xml(me))
            assert await host.metadata(me, uri) is None
            async with host.events() as events:
                await host.set_metadata(me, uri, "ex", "<vm><startTime type='float'>1.5</startTime></vm>")
                assert (await heard(events, MetadataChanged, me)).uri == uri
            text = await host.metadata(me, uri)
            assert text is not None
            assert ElementTree.fromstring(text).findtext("startTime") == "1.5"
            await host.set_metadata(me, uri, "ex", "<vm><other/></vm>")
            live = ElementTree.fromstring(await host.xml(me))
            assert [len(element) for element in live.findall(f"metadata/{{{uri}}}vm")] == [1]
            await host.set_metadata(me, uri, "ex", None)
            await host.set_metadata(me, uri, "ex", None)
            assert await host.metadata(me, uri) is None

        self.run(body)

    def test_metadata_of_the_description_is_there_from_the_start(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            inner = "<metadata><p:vm xmlns:p='urn:p'><p:key>1</p:key></p:vm></metadata>"
            await host.create(domain_xml(me).replace("<devices>", inner + "<devices>"))
            text = await host.metadata(me, "urn:p")
            assert text is not None
            assert ElementTree.fromstring(text).findtext("key") == "1"
            assert await host.metadata(me, "urn:q") is None

        self.run(body)

    def test_malformed_metadata_changes_nothing(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            await host.set_metadata(me, "urn:p", "p", "<vm/>")
            with pytest.raises(OperationRefused):
                await host.set_metadata(me, "urn:p", "p", "<vm")
            assert await host.metadata(me, "urn:p") is not None

        self.run(body)

    @pytest.mark.parametrize("devices", ["", CHANNEL], ids=["no channel", "nobody answers"])
    def test_absent_guest_agent_is_told_at_once(self, devices: str) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=devices), paused=True)
            for call in (
                host.agent(me, {"execute": "guest-ping"}),
                host.shutdown(me, ShutdownMode.AGENT),
                host.reboot(me, ShutdownMode.AGENT),
            ):
                with pytest.raises(AgentUnavailable):
                    await call

        self.run(body)

    def test_shutdown_by_acpi_returns_when_asked(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            await host.shutdown(me, ShutdownMode.ACPI)
            assert (await host.info(me)).state in (DomainState.RUNNING, DomainState.SHUTTING_DOWN)

        self.run(body)

    def test_reset_is_told(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            async with host.events() as events:
                await host.reset(me)
                await heard(events, Rebooted, me)
            assert (await host.info(me)).state is DomainState.RUNNING

        self.run(body)

    def test_sample_tells_of_every_domain(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            other = str(uuid.uuid4())
            await host.create(domain_xml(me))
            await host.create(domain_xml(other), paused=True)
            first = await host.sample()
            second = await host.sample()
            mine, others = second.domains[me], second.domains[other]
            assert (mine.state, others.state) == (DomainState.RUNNING, DomainState.PAUSED)
            assert mine.responding
            assert mine.monitored
            assert [vcpu.index for vcpu in mine.vcpus] == [0, 1]
            assert mine.balloon is not None
            assert mine.balloon.maximum == MEMORY
            assert second.at > first.at
            assert (mine.cpu_time or 0.0) >= (first.domains[me].cpu_time or 0.0)

        self.run(body)

    def test_screenshot_is_a_picture(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=SCREEN))
            mime, picture = await host.screenshot(me)
            assert mime == "image/png"
            assert picture.startswith(b"\x89PNG\r\n\x1a\n")
            assert picture.endswith(b"IEND\xaeB`\x82")

        self.run(body)

    def test_screenshot_without_a_screen_is_refused(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            with pytest.raises(OperationRefused):
                await host.screenshot(me)

        self.run(body)

    def test_live_description_has_aliases_and_keeps_the_password_back(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=SCREEN + CHANNEL))
            plain = await host.xml(me)
            root = ElementTree.fromstring(plain)
            assert (root.get("id") or "").isdigit()
            assert root.findtext("uuid") == me
            alias = root.find("devices/channel/alias")
            assert alias is not None
            assert alias.get("name") == "channel0"
            graphics = root.find("devices/graphics")
            assert graphics is not None
            assert int(graphics.get("port") or 0) >= 5900
            assert "geheim" not in plain
            assert "geheim" in await host.xml(me, secure=True)

        self.run(body)

    def test_every_subscriber_hears_every_event(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            async with host.events() as first, host.events() as second:
                await host.create(domain_xml(me))
                await heard(first, Started, me)
                await heard(second, Started, me)

        self.run(body)

    def test_machine_and_versions_are_told(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            versions = await host.versions()
            assert versions.qemu is not None
            assert len(versions.libvirt.split(".")) == 3
            node = await host.node_info()
            assert node.cpus > 0
            assert node.memory > 1 << 30
            assert ElementTree.fromstring(await host.capabilities()).tag == "capabilities"
            told = await host.domain_capabilities(virt_type="qemu", arch="x86_64")
            assert ElementTree.fromstring(told).tag == "domainCapabilities"

        self.run(body)

    def test_console_has_one_user_until_it_is_taken(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=SERIAL))
            first = await host.consoles.open_console(me)
            with pytest.raises(OperationFailed):
                await host.consoles.open_console(me)
            second = await host.consoles.open_console(me, force=True)
            while await first.read():
                pass
            assert first.reason
            with pytest.raises(StreamLost):
                await first.write(b"x")
            assert not second.reason
            await second.close()
            await second.close()
            assert await second.read() == b""

        self.run(body)

    def test_stream_ends_with_its_domain(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=CHANNEL.replace("org.qemu.guest_agent.0", "some.channel")))
            channel = await host.consoles.open_channel(me, "some.channel")
            await channel.write(b"nobody reads this")
            await host.destroy(me)
            assert await channel.read() == b""
            assert channel.reason
            await channel.close()

        self.run(body)

    def test_consoles_that_are_not_there_are_refused(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me))
            for opening in (
                host.consoles.open_console(me),
                host.consoles.open_channel(me, "some.channel"),
                host.consoles.open_graphics(me, 0),
                host.consoles.set_graphics_password(me, 0, GraphicsPassword("x", 2e9)),
            ):
                with pytest.raises((OperationRefused, OperationFailed)):
                    await opening
            with pytest.raises(DomainNotFound):
                await host.consoles.open_console(str(uuid.uuid4()))

        self.run(body)

    def test_password_of_the_screen_follows_the_protocol(self) -> None:
        async def body(host: Hypervisor, me: str) -> None:
            await host.create(domain_xml(me, devices=SCREEN))
            await host.consoles.set_graphics_password(me, 0, GraphicsPassword("12345678", 2e9))
            await host.consoles.set_graphics_password(me, 0, GraphicsPassword("12345678", 1.0, "keep"))
            for refused in (GraphicsPassword("123456789", 2e9), GraphicsPassword("x", 2e9, "disconnect")):
                with pytest.raises(OperationRefused):
                    await host.consoles.set_graphics_password(me, 0, refused)
            assert await host.consoles.vnc_clients(me) == 0
            (await host.consoles.open_graphics(me, 0)).close()

        self.run(body)
