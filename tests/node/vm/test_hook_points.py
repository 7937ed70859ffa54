"""Every point of VMs: that it comes, in its place, with what it may change and refuse."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from device_host import DeviceHost, device_host
from vm_host import ID, VmHost, parameters, vm_host, xml

from ovis.client.types import VmParameters, VmStatus
from ovis.node.hooks.errors import HookFailed
from ovis.node.hypervisor.interface import DomainState
from ovis.node.vm import ending, hibernation, running
from ovis.node.vm.errors import CreateFailed, DestroyFailed
from ovis.node.vm.states import ExitReason

sys.path.insert(0, str(Path(__file__).parents[1] / "hooks"))
from scripts_made import HookFolder

CUSTOM = "<ovirt-vm:custom><ovirt-vm:colour>red</ovirt-vm:colour></ovirt-vm:custom>"
CARD = (
    "<ovirt-vm:device mac_address='52:54:00:00:00:01'><ovirt-vm:custom><ovirt-vm:queues>4</ovirt-vm:queues>"
    "</ovirt-vm:custom></ovirt-vm:device>"
)
TITLE = "d = hooking.read_domxml(); e = d.createElement('title'); e.appendChild(d.createTextNode(os.environ['colour']))\nd.documentElement.appendChild(e); hooking.write_domxml(d)"  # noqa: E501
MODEL = "d = hooking.read_domxml(); d.getElementsByTagName('model')[0].setAttribute('type', 'e1000e' if os.environ.get('queues', '4') == '4' else '?'); hooking.write_domxml(d)"  # noqa: E501

OPTIONS = "t = open(os.environ['_hook_domxml']).read().replace('</domain>', \"<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-S'/></commandline></domain>\")\nopen(os.environ['_hook_domxml'], 'w').write(t)"  # noqa: E501


@pytest.fixture
def made(tmp_path: Path) -> HookFolder:
    return HookFolder(tmp_path / "made")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()


async def down(host: VmHost) -> str:
    """The exit message of a VM that does not start."""
    vm = host.vms.find(ID)
    await host.until(lambda: vm.is_down)
    assert vm.exit is not None
    assert vm.exit.reason is ExitReason.LIBVIRT_START_FAILED
    return vm.exit.message


def pairs(*names: str) -> list[str]:
    return [f"{when}_{name}" for name in names for when in ("before", "after")]


def test_the_points_of_a_life_come_in_order(tmp_path: Path, made: HookFolder) -> None:
    made.record(*pairs("vm_start", "vm_pause", "vm_cont", "vm_destroy", "device_create", "device_destroy"))

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started(metadata=CUSTOM + CARD)
            await running.pause(host.vms, vm)
            await running.resume(host.vms, vm)
            await ending.destroy(host.vms, vm, graceful_attempts=0)

    asyncio.run(main())
    assert made.ran == [
        "before_device_create", "before_vm_start", "after_device_create", "after_vm_start",
        "before_vm_pause", "after_vm_pause", "before_vm_cont", "after_vm_cont",
        "before_device_destroy", "before_vm_destroy", "after_device_destroy", "after_vm_destroy",
    ]  # fmt: skip


def test_points_of_devices_are_for_those_with_custom_properties(tmp_path: Path, made: HookFolder) -> None:
    made.record("before_device_create")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await host.started(metadata=CUSTOM)

    asyncio.run(main())
    assert made.ran == []


def test_scripts_before_the_start_change_what_is_started(tmp_path: Path, made: HookFolder) -> None:
    made.python("before_vm_start", TITLE)
    made.python("before_device_create", MODEL)

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started(metadata=CUSTOM + CARD)
            root = host.hypervisor.domain(ID).root
            assert root.findtext("title") == "red"
            assert any("title" in str(change) for change in vm.changes)
            assert root.find("devices/interface/model").get("type") == "e1000e"
            assert vm.definition.interfaces[0].model == "e1000e"

    asyncio.run(main())


def test_options_for_qemu_that_a_script_adds_are_borne(tmp_path: Path, made: HookFolder) -> None:
    made.python("before_vm_start", OPTIONS)

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started()
            await host.vms.refresh(vm)
            assert "commandline" in vm.xml

    asyncio.run(main())


@pytest.mark.parametrize(
    "script",
    [
        "echo no >&2; exit 2",
        "echo '<domain' > $_hook_domxml",
        "echo '<domain/>' > $_hook_domxml",
        "sed -i s,one,two, $_hook_domxml",
    ],
)
def test_a_vm_whose_hook_fails_is_down_and_was_never_started(tmp_path: Path, made: HookFolder, script: str) -> None:
    made.shell("before_vm_start", script)

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await host.vms.create(ID, parameters())
            assert "before_vm_start" in await down(host)
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def test_a_vm_that_is_destroyed_while_its_hooks_run_is_not_started(tmp_path: Path, made: HookFolder) -> None:
    made.shell("before_vm_start", f"touch {made.folder}/up; while [ ! -e {made.folder}/go ]; do sleep 0.05; done")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await host.vms.create(ID, parameters())
            vm = host.vms.find(ID)
            await host.until((made.folder / "up").exists)
            destroying = asyncio.ensure_future(ending.destroy(host.vms, vm, graceful_attempts=0))
            await host.until(lambda: vm.ending is not None)
            (made.folder / "go").touch()
            await destroying
            assert host.vms.get(ID) is None
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def test_a_hanging_hook_costs_nobody_but_its_vm(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    made = HookFolder(tmp_path / "slow", seconds=3.0)
    made.shell("before_vm_start", f'[ "$vmId" = {ID} ] && exec sleep 1000; true')
    other = ID.replace("1", "2")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await host.vms.create(ID, parameters())
            assert (await host.started(other, name="two")).has_qemu
            assert "had not ended" in await down(host)

    asyncio.run(main())


def test_launch_flags_start_it_paused(tmp_path: Path, made: HookFolder) -> None:
    made.python(
        "before_vm_start",
        "i = os.environ['vmId']; f = hooking.load_vm_launch_flags_from_file(i)\nhooking.dump_vm_launch_flags_to_file(i, f | 1)",  # noqa: E501
    )

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started()
            assert vm.status is VmStatus.PAUSED
            assert not list((made.folder / "launch").glob("*"))

    asyncio.run(main())


@pytest.mark.parametrize(("point", "is_paused"), [("before_vm_pause", False), ("before_vm_cont", True)])
def test_pause_and_cont_can_be_refused(tmp_path: Path, made: HookFolder, point: str, is_paused: bool) -> None:
    made.shell(point, "exit 1")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started(launch_paused=is_paused)
            with pytest.raises(HookFailed):
                await (running.resume if is_paused else running.pause)(host.vms, vm)
            assert (vm.status is VmStatus.PAUSED) is is_paused
            assert vm.operation is None

    asyncio.run(main())


def test_a_destroy_is_not_stopped_by_its_hook(tmp_path: Path, made: HookFolder) -> None:
    made.shell("before_vm_destroy", "exit 2")
    made.shell("after_vm_destroy", "exit 2")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await ending.destroy(host.vms, await host.started(), graceful_attempts=0)
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def test_a_devices_hook_can_hold_a_destroy_up(tmp_path: Path, made: HookFolder) -> None:
    script = made.shell("before_device_destroy", "exit 2")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started(metadata=CARD)
            with pytest.raises(DestroyFailed, match="before_device_destroy"):
                await ending.destroy(host.vms, vm, graceful_attempts=0)
            assert host.hypervisor.domain(ID).state is DomainState.RUNNING
            script.unlink()
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            assert not await host.hypervisor.domains()

    asyncio.run(main())


def _files(folder: Path) -> str:
    found = [folder / "memory", folder / "parameters"]
    for path in found:
        path.touch()
    return ",".join(map(str, found))


def test_the_points_of_a_hibernation(tmp_path: Path, made: HookFolder) -> None:
    made.record(*pairs("vm_hibernate", "vm_dehibernate"))
    made.shell("before_vm_dehibernate", f"echo told $FROM_SNAPSHOT >> {made.folder}/told")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started()
            handle = _files(tmp_path)
            await hibernation.begin(host.vms, vm, handle, "handle")
            await host.until(lambda: vm.is_down)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await host.vms.create(ID, VmParameters(hiber_vol_handle=handle))
            vm = host.vms.find(ID)
            await host.until(lambda: vm.status is VmStatus.UP)
            await host.written()

    asyncio.run(main())
    assert made.ran == pairs("vm_hibernate", "vm_dehibernate")
    assert (made.folder / "told").read_text() == "told False\n"


def test_options_for_qemu_are_given_again_when_it_starts_from_memory(tmp_path: Path, made: HookFolder) -> None:
    for point in ("before_vm_start", "before_vm_dehibernate"):
        made.python(point, OPTIONS)

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started()
            handle = _files(tmp_path)
            await hibernation.begin(host.vms, vm, handle, "handle")
            await host.until(lambda: vm.is_down)
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            await host.vms.create(ID, VmParameters(hiber_vol_handle=handle))
            vm = host.vms.find(ID)
            await host.until(lambda: vm.status is VmStatus.UP)
            assert vm.xml.count("value='-S'") + vm.xml.count('value="-S"') == 1

    asyncio.run(main())


def test_a_hibernation_can_be_refused_and_a_late_failure_is_told(tmp_path: Path, made: HookFolder) -> None:
    script = made.shell("before_vm_hibernate", "exit 2")
    made.shell("after_vm_hibernate", "echo too late >&2; exit 2")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started()
            handle = _files(tmp_path)
            before = vm.status
            with pytest.raises(HookFailed):
                await hibernation.begin(host.vms, vm, handle, "handle")
            assert (vm.status, vm.operation) == (before, None)
            script.unlink()
            await hibernation.begin(host.vms, vm, handle, "handle")
            await host.until(lambda: vm.is_down)
            assert vm.exit is not None
            assert vm.exit.reason is ExitReason.SAVE_STATE_SUCCEEDED
            assert "too late" in vm.exit.message

    asyncio.run(main())


# Devices that come, go and change


NIC = {
    "deviceType": "interface", "device": "bridge", "macAddr": "52:54:00:00:00:AA", "nicModel": "pv", "network": "n",
    "custom": {"queues": "4"},
}  # fmt: skip


def _disk(host: DeviceHost) -> dict[str, Any]:
    return {
        "drive": {"deviceType": "disk", "device": "disk", "path": host.file("a"), "format": "raw", "iface": "virtio"}
    }


def test_the_points_of_devices(tmp_path: Path, made: HookFolder) -> None:
    names = ("nic_hotplug", "nic_hotunplug", "disk_hotplug", "disk_hotunplug", "memory_hotplug", "set_num_of_cpus")
    made.record(*pairs(*names), "after_nic_hotplug_fail", "after_nic_hotunplug_fail")

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            await host.call("VM.hotplugNic", params={"nic": NIC})
            await host.call("VM.hotunplugNic", params={"nic": NIC})
            await host.call("VM.hotplugDisk", params=_disk(host))
            await host.call("VM.hotunplugDisk", params=_disk(host))
            await host.call(
                "VM.hotplugMemory",
                params={"memory": {"deviceType": "memory", "device": "memory", "size": 128, "node": 0}},
            )
            await host.call("VM.setNumberOfCpus", numberOfCpus="2")

    asyncio.run(main())
    assert made.ran == pairs(*names)


def test_a_card_is_changed_before_it_comes(tmp_path: Path, made: HookFolder) -> None:
    made.python("before_nic_hotplug", MODEL)

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            await host.call("VM.hotplugNic", params={"nic": NIC})
            assert host.elements("devices/interface/model")[-1].get("type") == "e1000e"

    asyncio.run(main())


def test_a_refused_card_does_not_come_or_go(tmp_path: Path, made: HookFolder) -> None:
    script = made.shell("before_nic_hotplug", "exit 2")
    made.shell("before_nic_hotunplug", "exit 2")

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            await host.fails(1500, "VM.hotplugNic", "before_nic_hotplug", params={"nic": NIC})
            assert len(host.elements("devices/interface")) == 1
            script.unlink()
            await host.call("VM.hotplugNic", params={"nic": NIC})
            await host.fails(1500, "VM.hotunplugNic", "before_nic_hotunplug", params={"nic": NIC})
            assert len(host.elements("devices/interface")) == 2

    asyncio.run(main())


def test_a_card_that_fails_has_its_own_point(tmp_path: Path, made: HookFolder) -> None:
    made.record("before_nic_hotplug", "after_nic_hotplug", "after_nic_hotplug_fail")

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            host.hypervisor.faults.fail("attach")
            await host.fails(49, "VM.hotplugNic", params={"nic": NIC})

    asyncio.run(main())
    assert made.ran == ["before_nic_hotplug", "after_nic_hotplug_fail"]


def test_a_device_is_updated_as_the_scripts_left_it(tmp_path: Path, made: HookFolder) -> None:
    made.record("before_update_device", "after_update_device", "after_update_device_fail")
    made.python(
        "before_update_device",
        "d = hooking.read_domxml(); d.getElementsByTagName('source')[0].setAttribute('bridge', 'hooked'); hooking.write_domxml(d)",  # noqa: E501
        "60",
    )

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            alias = host.vm.definition.interfaces[0].alias
            await host.call("VM.updateDevice", params={"deviceType": "interface", "alias": alias, "network": "other"})
            assert host.elements("devices/interface/source")[0].get("bridge") == "hooked"

    asyncio.run(main())
    assert made.ran == ["before_update_device", "after_update_device"]


def test_a_password_tells_its_scripts_who_asked(tmp_path: Path, made: HookFolder) -> None:
    for point in pairs("vm_set_ticket"):
        made.shell(point, f"echo $userName >> {made.folder}/ran; exit 2")

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            await host.call(
                "VM.setTicket", password="x", ttl=60, existingConnAction="keep", params={"userName": "admin"}
            )  # fmt: skip

    asyncio.run(main())
    assert made.ran == ["admin", "admin"]


# Disks of storage domains


IDS = {
    "poolID": "00000000-0000-4000-8000-00000000000a",
    "domainID": "00000000-0000-4000-8000-00000000000b",
    "imageID": "00000000-0000-4000-8000-00000000000c",
    "volumeID": "00000000-0000-4000-8000-00000000000d",
}


def test_a_prepared_disk_can_be_put_elsewhere(tmp_path: Path, made: HookFolder) -> None:
    for name in ("shared", "local"):
        (tmp_path / name).write_bytes(bytes(65536))
    members = "".join(f"<ovirt-vm:{name}>{value}</ovirt-vm:{name}>" for name, value in IDS.items())
    metadata = f"<ovirt-vm:device devtype='disk' name='vda'>{members}</ovirt-vm:device>"
    disk = f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{tmp_path}/shared'/><target dev='vda' bus='virtio'/></disk>"  # noqa: E501
    made.python(
        "after_disk_prepare",
        f"d = hooking.read_json(); assert d['volumeID'] == '{IDS['volumeID']}' and d['format'] == 'cow', d\nd.update(path='{tmp_path}/local', format='raw'); hooking.write_json(d)",  # noqa: E501
    )

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            vm = await host.started(metadata=metadata, devices=disk)
            assert (vm.definition.disks[0].path, vm.definition.disks[0].format) == (f"{tmp_path}/local", "raw")
            await ending.destroy(host.vms, vm, graceful_attempts=0)
            made.shell("after_disk_prepare", "exit 2", "90")
            with pytest.raises(CreateFailed, match="after_disk_prepare"):
                await host.vms.create(ID, VmParameters(xml=xml(metadata=metadata, devices=disk)))
            assert host.vms.get(ID) is None

    asyncio.run(main())


def test_what_runs_goes_on_whatever_the_hooks_after_it_do(tmp_path: Path, made: HookFolder) -> None:
    made.shell("after_vm_start", "kill -9 $$")

    async def main() -> None:
        async with vm_host(tmp_path, hooks=made.hooks) as host:
            await host.started()
            assert host.hypervisor.domain(ID).state is DomainState.RUNNING

    asyncio.run(main())


def test_statistics_of_vms_are_told_as_the_scripts_left_them(tmp_path: Path, made: HookFolder) -> None:
    made.python(
        "after_get_vm_stats", "d = hooking.read_json(); d[0]['one'] = os.environ['vmId']; hooking.write_json(d)"
    )
    made.python("after_get_all_vm_stats", "d = hooking.read_json(); d[0]['all'] = 1; hooking.write_json(d)")

    async def main() -> None:
        async with device_host(tmp_path, hooks=made.hooks) as host:
            answers: list[Any] = []

            async def asked() -> None:
                while not (answers and "one" in answers[0][0] and "all" in answers[1][0]):
                    answers[:] = [await host.call("VM.getStats"), await host.call("Host.getAllVmStats")]
                    await asyncio.sleep(0.01)

            async with asyncio.timeout(30):
                await asked()
            assert (answers[0][0]["one"], answers[0][0]["vmId"]) == (ID, ID)
            await made.hooks.close()

    asyncio.run(main())
