"""A domain description from plain parameters, for callers that do not write XML themselves.

Both ways of VM.create meet in the XML: from here on nobody knows which one a VM came by.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from ovis.client.types import (
    VmConsoleDevice,
    VmDeviceType,
    VmDiskDevice,
    VmDisplayType,
    VmGraphicsDevice,
    VmGraphicsDeviceType,
    VmInterfaceDevice,
    VmParameters,
)
from ovis.node.errors import BadParameter, MissingParameter
from ovis.node.vm import metadata, metadata_devices
from ovis.node.vm.devices import channel, kinds
from ovis.node.vm.devices.board import Board
from ovis.node.vm.disks import keeping
from ovis.node.vm.payloads.media import PLACEHOLDER
from ovis.node.vm.settings import VmSettings

ROOT_PORTS = 16
"""Free slots for hot-plugging on q35, which has none by itself. Each costs the guest's firmware a few milliseconds."""


def build(
    vm_id: str,
    given: VmParameters,
    settings: VmSettings,
    *,
    block_paths: frozenset[str] = frozenset(),
    host_devices: Mapping[str, str] | None = None,
) -> etree._Element:
    """`host_devices`: libvirt's XML of those that the parameters name. Raises BadParameter, MissingParameter."""
    _refuse(given)
    root = etree.Element("domain", type="kvm" if given.kvm_enable else "qemu")
    _add(root, "name", given.vm_name or f"vm-{vm_id[:8]}")
    _add(root, "uuid", vm_id)
    _metadata(root, given)
    _memory(root, given)
    _vcpus(root, given)
    _system(root, given)
    _cpu(root, given)
    _clock(root, given)
    for event, action in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        _add(root, event, action)
    is_q35 = "q35" in given.emulated_machine
    _devices(root, given, Board(is_q35, settings.display_address, block_paths, host_devices or {}))
    return root


def disk_paths(given: VmParameters) -> list[str]:
    """The paths that the disks among the parameters name; a disk of the network has none on this host."""
    return [
        path
        for device in given.devices or []
        if (path := getattr(device, "path", None)) and not getattr(device, "protocol", None)
    ]


def _refuse(given: VmParameters) -> None:
    if not given.mem_size:
        if given.mem_size is None:
            raise MissingParameter("vmParams.memSize", "without domain XML the size of the memory must be given")
        raise BadParameter("vmParams.memSize", "must be above 0")
    if not 1 <= given.smp <= 4096:
        raise BadParameter("vmParams.smp", f"{given.smp} is not from 1 to 4096")
    if given.max_v_cpus is not None and given.max_v_cpus < given.smp:
        raise BadParameter("vmParams.maxVCpus", f"{given.max_v_cpus} is less than smp, {given.smp}")
    if given.max_mem_size is not None and given.max_mem_size < given.mem_size:
        raise BadParameter("vmParams.maxMemSize", "is less than memSize")
    if not 1 <= given.max_mem_slots <= 256:
        raise BadParameter("vmParams.maxMemSlots", f"{given.max_mem_slots} is not from 1 to 256")
    if given.cpu_shares is not None and not (given.cpu_shares.isdigit() and int(given.cpu_shares) >= 2):
        raise BadParameter("vmParams.cpuShares", f"{given.cpu_shares!r} is not a number from 2")
    if given.guest_numa_nodes or given.numa_tune:
        field = "guestNumaNodes" if given.guest_numa_nodes else "numaTune"
        raise BadParameter(f"vmParams.{field}", "NUMA placement is accepted in domain XML only")


def _add(parent: etree._Element, tag: str, text: str | int, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, tag, attributes)
    try:
        element.text = str(text)
    except ValueError as error:
        raise BadParameter(f"vmParams: {tag}", "holds characters that XML cannot carry") from error
    return element


def _metadata(root: etree._Element, given: VmParameters) -> None:
    guaranteed = given.mem_guaranteed_size
    mib = None if guaranteed is None else guaranteed >> 20
    metadata.write(root, {"minGuaranteedMemoryMb": mib, "launchPaused": given.launch_paused or None})
    if given.custom:
        try:
            metadata.write_custom(root, given.custom)
        except ValueError as error:
            raise BadParameter("vmParams.custom", f"a name or value cannot be kept in XML: {error}") from error


def _memory(root: etree._Element, given: VmParameters) -> None:
    assert given.mem_size is not None
    if given.max_mem_size and given.max_mem_size > given.mem_size:
        _add(root, "maxMemory", given.max_mem_size >> 10, unit="KiB", slots=str(given.max_mem_slots))
    _add(root, "memory", given.mem_size >> 10, unit="KiB")


def _vcpus(root: etree._Element, given: VmParameters) -> None:
    most = max(given.max_v_cpus or 0, given.smp)
    if most > given.smp:
        _add(root, "vcpu", most, current=str(given.smp))
    else:
        _add(root, "vcpu", most)
    if given.cpu_shares:
        _add(etree.SubElement(root, "cputune"), "shares", given.cpu_shares)


def _system(root: etree._Element, given: VmParameters) -> None:
    sysinfo = etree.SubElement(root, "sysinfo", type="smbios")
    system = etree.SubElement(sysinfo, "system")
    for name, text in (
        ("manufacturer", "Ovis"),
        ("product", "OS-NAME:"),
        ("version", "OS-VERSION:"),
        ("serial", "HOST-SERIAL:"),
        ("uuid", root.findtext("uuid") or ""),
    ):
        _add(system, "entry", text, name=name)
    system_type = etree.SubElement(root, "os")
    _add(system_type, "type", "hvm", arch="x86_64", machine=given.emulated_machine)
    etree.SubElement(system_type, "smbios", mode="sysinfo")
    if given.boot_menu_enable:
        etree.SubElement(system_type, "bootmenu", enable="yes", timeout="10000")
    features = etree.SubElement(root, "features")
    if given.acpi_enable:
        etree.SubElement(features, "acpi")
    if given.hyperv_enable:
        hyperv = etree.SubElement(features, "hyperv")
        etree.SubElement(hyperv, "relaxed", state="on")
        etree.SubElement(hyperv, "vapic", state="on")
        etree.SubElement(hyperv, "spinlocks", state="on", retries="8191")


def _cpu(root: etree._Element, given: VmParameters) -> None:
    model, *flags = (given.cpu_type or "qemu64").split(",")
    if model == "hostPassthrough":
        cpu = etree.SubElement(root, "cpu", mode="host-passthrough", check="none")
    elif model == "hostModel":
        cpu = etree.SubElement(root, "cpu", mode="host-model", check="partial")
    else:
        cpu = etree.SubElement(root, "cpu", mode="custom", match="exact")
        _add(cpu, "model", model, fallback="allow")
    cores, threads = given.smp_cores_per_socket, given.smp_threads_per_core
    most = max(given.max_v_cpus or 0, given.smp)
    if cores * threads > 1 and most % (cores * threads) == 0:
        sockets = most // (cores * threads)
        etree.SubElement(cpu, "topology", sockets=str(sockets), cores=str(cores), threads=str(threads))
    for flag in flags:
        if flag[:1] not in ("+", "-") or len(flag) < 2:
            raise BadParameter("vmParams.cpuType", f"{flag!r} is no flag such as +pcid or -svm")
        etree.SubElement(cpu, "feature", name=flag[1:], policy="require" if flag[0] == "+" else "disable")
    if root.find("maxMemory") is not None:
        # Memory can be plugged into a NUMA node only, so there must be one.
        memory = root.findtext("memory") or "0"
        etree.SubElement(etree.SubElement(cpu, "numa"), "cell", id="0", cpus=f"0-{most - 1}", memory=memory, unit="KiB")


def _clock(root: etree._Element, given: VmParameters) -> None:
    clock = etree.SubElement(root, "clock", offset="variable", adjustment=str(given.time_offset))
    etree.SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    etree.SubElement(clock, "timer", name="pit", tickpolicy="delay" if given.pit_reinjection else "discard")
    etree.SubElement(clock, "timer", name="hpet", present="no")


def _note(root: etree._Element, drive: etree._Element, given: VmDiskDevice) -> None:
    """What an engine would write beside its XML: the ids of the disk's volume, and the files of a medium."""
    data: dict[str, metadata_devices.Data] = dict(keeping.ids_told(given)) if given.volume_id else {}
    payload = given.spec_params.vm_payload if given.spec_params else None
    if payload is not None:
        etree.SubElement(drive, "source", file=PLACEHOLDER)
        data["payload"] = {"file": dict(payload.file), "volId": payload.vol_id or ""}
    if data:
        target = drive.find("target")
        key = {"devtype": "disk", "name": "" if target is None else target.get("dev", "")}
        place = metadata.element(root)
        assert place is not None
        metadata_devices.put(place, metadata_devices.DeviceNote(key, data))


def _devices(root: etree._Element, given: VmParameters, board: Board) -> None:
    holder = etree.SubElement(root, "devices")
    devices = [*(given.devices or [])]
    if given.display and not any(isinstance(device, VmGraphicsDevice) for device in devices):
        kind = VmGraphicsDeviceType.SPICE if given.display is VmDisplayType.QXL else VmGraphicsDeviceType.VNC
        devices.append(VmGraphicsDevice(device=kind, device_type=VmDeviceType.GRAPHICS))
    if board.is_q35:
        etree.SubElement(holder, "controller", type="pci", index="0", model="pcie-root")
        for _ in range(ROOT_PORTS):
            etree.SubElement(holder, "controller", type="pci", model="pcie-root-port")
    for position, device in enumerate(devices):
        if isinstance(device, VmConsoleDevice) and holder.find("console") is not None:
            raise BadParameter(f"vmParams.devices[{position}]", "a VM has one console at most")
        try:
            holder.extend(made.element() for made in kinds.build(device, board, f"vmParams.devices[{position}]"))
        except ValueError as error:
            raise BadParameter(f"vmParams.devices[{position}]", "holds characters that XML cannot carry") from error
        if isinstance(device, VmDiskDevice):
            _note(root, holder[-1], device)
        if isinstance(device, VmInterfaceDevice) and device.mac_addr and (device.port_mirroring or device.custom):
            place = metadata.element(root)
            assert place is not None
            metadata_devices.put(place, metadata_devices.note_of_card(device))
    if board.needs_virtio_scsi and holder.find("controller[@type='scsi']") is None:
        etree.SubElement(holder, "controller", type="scsi", model="virtio-scsi")
    holder.extend(made.element() for made in channel.agent(board))
    if given.agent_channel_name and given.agent_channel_name not in ("org.qemu.guest_agent.0", "qemu-ga"):
        other = etree.SubElement(holder, "channel", type="unix")
        etree.SubElement(other, "target", type="virtio", name=given.agent_channel_name)
    if holder.find("memballoon") is None:
        etree.SubElement(etree.SubElement(holder, "memballoon", model="virtio"), "stats", period="5")
