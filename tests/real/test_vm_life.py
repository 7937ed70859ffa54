"""VMs of the agent on a real libvirtd: a guest boots, is asked, paused, rebooted, shut down, killed and found again."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import codec
from ovis.client.types import VmParameters, VmStatus
from ovis.node.hypervisor.libvirt_driver import connect
from ovis.node.vm import ending, running, shutting_down
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.shutting_down import Wish
from ovis.node.vm.states import ExitReason
from ovis.node.vm.vm import Vm
from ovis.node.vm.vms import Vms
from ovis.wire.events import Bus

LIMIT = 250.0
BOOT = 120.0  # three seconds on an idle machine
DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
ID = "0b5e77ed-0000-4000-8000-000000000001"


class RealVms:
    """What a test needs to begin lives of the agent's VM code on one virtual host."""

    def __init__(self, vhost: VirtualHost, guest: TinyGuest, folder: Path) -> None:
        self.vhost = vhost
        self.guest = guest
        self.folder = folder

    @asynccontextmanager
    async def life(self, *, sample_period: float = 1.0) -> AsyncIterator[Vms]:
        allowed = (self.folder, self.guest.kernel.parent)
        settings = VmSettings(allowed_paths=allowed, virt_type="qemu", sample_period=sample_period)
        async with connect(self.vhost.libvirt_uri) as hypervisor:
            vms = Vms(hypervisor, Bus(), self.folder, settings)
            try:
                await vms.recover()
                serving = asyncio.ensure_future(vms.run())
                try:
                    yield vms
                finally:
                    serving.cancel()
                    await asyncio.gather(serving, return_exceptions=True)
            finally:
                await vms.close()

    def xml(self, vm_id: str) -> str:
        text = DOMAIN.replace("<domain type='qemu'>", "<domain type='kvm'>")
        return text.format(
            name=f"vm-{vm_id[:8]}-{vm_id[-4:]}",
            uuid=vm_id,
            kernel=self.guest.kernel,
            initrd=self.guest.initrd,
            mac="52:54:00:00:00:" + vm_id[-2:],
            bridge=self.vhost.bridge,
        )

    async def boot(self, vms: Vms, vm_id: str = ID) -> Vm:
        """Until the guest agent has told an address."""
        await vms.create(vm_id, VmParameters(xml=self.xml(vm_id)))
        vm = vms.find(vm_id)
        assert await vm.until(lambda: vm.is_down or bool(vm.guest and vm.guest.addresses), seconds=BOOT)
        assert not vm.is_down, vm.exit
        return vm


@pytest.fixture
def real(vhost: VirtualHost, guest_image: TinyGuest, tmp_path: Path) -> RealVms:
    return RealVms(vhost, guest_image, tmp_path)


def run(real: RealVms, body: Callable[[Vms], Awaitable[None]]) -> None:
    """Leaves no VM behind."""

    async def whole() -> None:
        async with asyncio.timeout(LIMIT), real.life() as vms:
            try:
                await body(vms)
            finally:
                for vm in list(vms):
                    await ending.destroy(vms, vm, graceful_attempts=0)

    asyncio.run(whole())


def qemu_of(real: RealVms, vm: Vm) -> int:
    """Process id of the VM's QEMU, as the machine sees it."""
    return next(p for p in real.vhost.processes() if vm.id.encode() in Path(f"/proc/{p}/cmdline").read_bytes())


def stats(vms: Vms, vm: Vm) -> dict[str, Any]:
    raw = vms.stats_json(vm)
    codec.decode_result("Host.getAllVmStats", b"[%b]" % raw)
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


def test_a_guest_boots_is_asked_paused_rebooted_and_shut_down(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        vm = await real.boot(vms)
        assert vm.guest is not None
        assert vm.guest.os is not None
        assert vm.guest.os.pretty == "Ovis tiny guest 1"
        seen = [vm.status]
        for act in (running.pause, running.resume):
            await act(vms, vm)
            seen.append(vm.status)
        assert seen == [VmStatus.UP, VmStatus.PAUSED, VmStatus.UP]
        await shutting_down.shut_down(vms, vm, Wish(reboot=True, force=False, delay=0, timeout=30))
        assert await vm.until(lambda: vm.resets == 1, seconds=90)
        assert await vm.until(lambda: vm.status is VmStatus.UP and vm.guest is not None, seconds=BOOT)
        await shutting_down.shut_down(vms, vm, Wish(reboot=False, force=False, delay=0, timeout=30))
        assert await vm.until(lambda: vm.is_down, seconds=90)
        assert vm.exit is not None
        assert vm.exit.reason is ExitReason.ADMIN_SHUTDOWN

    run(real, body)


def test_statistics_of_a_running_guest(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        vm = await real.boot(vms)
        before = stats(vms, vm)
        vm.measured = None
        await vms.sample()
        await vms.sample()
        now = stats(vms, vm)
        assert int(now["cpuUsage"]) > 0
        assert float(now["cpuUser"]) >= 0
        assert (now["monitorResponse"], now["status"]) == ("0", "Up")
        (card,) = now["network"].values()
        assert int(card["rx"]) + int(card["tx"]) > 0
        assert now["guestIPs"]
        assert int(now["statusTime"]) >= int(before["statusTime"])

    run(real, body)


def test_a_killed_qemu_is_down_with_an_error(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        vm = await real.boot(vms)
        os.kill(qemu_of(real, vm), signal.SIGKILL)
        assert await vm.until(lambda: vm.is_down, seconds=90)
        assert vm.exit is not None
        assert (vm.exit.code, vm.exit.reason) == (1, ExitReason.LOST_QEMU_CONNECTION)

    run(real, body)


def test_a_stuck_qemu_is_reported_and_can_be_destroyed(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        vm = await real.boot(vms)
        os.kill(qemu_of(real, vm), signal.SIGSTOP)
        assert await vm.until(lambda: not vm.responding, seconds=60)
        assert stats(vms, vm)["monitorResponse"] == "-1"
        await ending.destroy(vms, vm, graceful_attempts=1)
        assert len(vms) == 0

    run(real, body)


def counters(vms: Vms, vm: Vm) -> tuple[int, int]:
    now = stats(vms, vm)
    (card,) = now["network"].values()
    return int(now["cpuUsage"]), int(card["rx"]) + int(card["tx"])


def test_a_vm_is_found_again_by_the_next_life(real: RealVms) -> None:
    async def whole() -> None:
        async with asyncio.timeout(LIMIT):
            async with real.life() as vms:
                vm = await real.boot(vms)
                await vms.sample()
                start, before = vm.start_time, counters(vms, vm)
                assert all(count > 0 for count in before)
            async with real.life() as vms:
                vm = vms.find(ID)
                try:
                    assert vm.has_qemu
                    await vms.sample()
                    assert all(now >= then for now, then in zip(counters(vms, vm), before, strict=True))
                    assert (vm.start_time, vm.definition.metadata["startTime"]) == (start, start)
                    assert await vm.until(lambda: vm.guest is not None, seconds=90)
                finally:
                    await ending.destroy(vms, vm, graceful_attempts=1)
            async with real.life() as vms:
                assert len(vms) == 0

    asyncio.run(whole())


def test_no_vm_is_lost_when_libvirtd_is_killed(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        vm = await real.boot(vms)
        other = await real.boot(vms, ID[:-1] + "2")
        (daemon,) = real.vhost.processes("libvirtd")
        os.kill(daemon, signal.SIGKILL)
        os.kill(qemu_of(real, other), signal.SIGKILL)
        await asyncio.to_thread(real.vhost.start_libvirtd)
        assert await other.until(lambda: other.is_down, seconds=90)
        assert other.exit is not None
        assert other.exit.reason is ExitReason.LIBVIRT_DOMAIN_MISSING
        assert vm.status is VmStatus.UP
        await running.pause(vms, vm)

    run(real, body)


def test_libvirts_refusal_is_the_exit_message(real: RealVms) -> None:
    async def body(vms: Vms) -> None:
        text = real.xml(ID).replace(f"bridge='{real.vhost.bridge}'", "bridge='nosuchbridge'")
        await vms.create(ID, VmParameters(xml=text))
        vm = vms.find(ID)
        assert await vm.until(lambda: vm.is_down, seconds=90)
        assert vm.exit is not None
        assert vm.exit.reason is ExitReason.LIBVIRT_START_FAILED
        assert "nosuchbridge" in vm.exit.message

    run(real, body)


PLAIN: dict[str, dict[str, object]] = {
    "q35": {
        "emulatedMachine": "q35", "cpuType": "Haswell,+pcid", "smp": 2, "maxVCpus": 4, "maxMemSize": 512,
        "display": "vnc", "hypervEnable": True, "custom": {"x": "y"},
    },
    "pc": {"emulatedMachine": "pc", "cpuType": "hostPassthrough", "acpiEnable": True},
}  # fmt: skip


@pytest.mark.parametrize("machine", PLAIN)
def test_plain_parameters_make_a_vm_that_libvirt_starts(real: RealVms, machine: str) -> None:
    disks = [real.folder / name for name in ("one.raw", "two.raw")]
    for disk in disks:
        disk.write_bytes(b"\0" * (1 << 20))
    vm_id = str(uuid.uuid4())
    devices: list[dict[str, object]] = [
        {"deviceType": "disk", "device": "disk", "path": str(disks[0]), "format": "raw", "iface": "virtio"},
        {"deviceType": "disk", "device": "disk", "path": str(disks[1]), "format": "raw", "iface": "scsi"},
        {"deviceType": "disk", "device": "cdrom"},
        {"deviceType": "interface", "device": "bridge", "network": real.vhost.bridge, "nicModel": "pv",
         "macAddr": "52:54:00:00:00:77"},
        {"deviceType": "video", "device": "std", "specParams": {"vram": 16384}},
        {"deviceType": "console", "specParams": {"consoleType": "serial"}},
        {"deviceType": "channel", "device": "unix"},
        {"deviceType": "rng", "device": "virtio", "model": "virtio", "specParams": {"source": "random"}},
        {"deviceType": "watchdog", "device": "watchdog", "specParams": {"model": "i6300esb", "action": "reset"}},
        {"deviceType": "graphics", "device": "vnc"},
    ]  # fmt: skip
    given = {"memSize": 128, "launchPaused": True, "devices": devices, **PLAIN[machine]}
    raw = msgspec.json.encode({"vmID": vm_id, "vmParams": given})
    parameters = codec.decode_arguments("VM.create", raw).vm_params

    async def body(vms: Vms) -> None:
        await vms.create(vm_id, parameters)
        vm = vms.find(vm_id)
        assert await vm.until(lambda: vm.status is not VmStatus.WAIT_FOR_LAUNCH, seconds=60)
        assert vm.exit is None, vm.exit
        assert vm.status is VmStatus.PAUSED
        (graphics,) = vm.definition.graphics
        assert graphics.port > 0
        mime_type, picture = await vms.hypervisor.screenshot(vm.id)
        assert mime_type.startswith("image/")
        assert picture

    run(real, body)


def test_a_description_as_engines_write_it_starts(real: RealVms) -> None:
    disk = real.folder / "disk.raw"
    disk.write_bytes(b"\0" * (1 << 20))
    text = (Path(__file__).parent / "engine_domain.xml").read_text()
    xml = text.format(name="from-engine", uuid=ID, disk=disk, bridge=real.vhost.bridge)

    async def body(vms: Vms) -> None:
        await vms.create(ID, VmParameters(xml=xml))
        vm = vms.find(ID)
        assert await vm.until(lambda: vm.status is not VmStatus.WAIT_FOR_LAUNCH, seconds=60)
        assert (vm.exit, vm.status) == (None, VmStatus.PAUSED)
        assert vm.definition.guaranteed_memory == 64 << 20
        await running.reset(vms, vm)
        assert await vm.until(lambda: bool(vm.measured), seconds=90)
        report = stats(vms, vm)
        assert set(report["disks"]) == {"sda", "sdc"}
        assert report["disks"]["sda"]["imageID"] == "aaaaaaaa-2222-4333-8444-555555555555"
        assert report["displayInfo"][0]["ipAddress"] == "127.0.0.1"
        live = await vms.hypervisor.xml(ID)
        assert "<ovirt-vm:imageID>" in live
        assert "HOST-SERIAL:" not in live

    run(real, body)
