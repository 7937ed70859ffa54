"""What clients see of a VM: the typed answers, made from the definition, the last sample and the guest's facts."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ovis.client.types import (
    BalloonInfo,
    ExitedVmStats,
    GuestContainerInfo,
    GuestDiskMappingInfo,
    GuestMemoryStats,
    GuestMountInfo,
    GuestNetworkDeviceInfo,
    GuestSessionState,
    NetworkInterfaceState,
    NetworkInterfaceStats,
    RunningVmStats,
    VmDefinition,
    VmDevice,
    VmDiskDevice,
    VmDiskDeviceVolumeChainEntry,
    VmDiskStats,
    VmDisplayInfo,
    VmDisplayType,
    VMFullInfo,
    VmGraphicsDeviceType,
    VMGuestOsInfo,
    VMGuestTimezone,
    VmStatus,
    VmType,
    WatchdogEvent,
    WatchdogEventAction,
)
from ovis.node.guest.facts import GuestFacts
from ovis.node.hypervisor.interface import DiskSample, InterfaceSample
from ovis.node.vm import safe_xml
from ovis.node.vm.block_jobs.statistics import vm_jobs
from ovis.node.vm.definition import Definition, Disk, Graphics, Interface
from ovis.node.vm.devices import kinds
from ovis.node.vm.disks import drives
from ovis.node.vm.external_kinds import Kind
from ovis.node.vm.sampling import DiskRates, Measured, tops
from ovis.node.vm.vm import Vm

NANOSECONDS = 1e9
FAST_CARDS = {"virtio", "e1000", "e1000e"}
WATCHDOG_ACTIONS = {
    "none": WatchdogEventAction.IGNORE,
    "debug": WatchdogEventAction.LOG,
    "injectnmi": WatchdogEventAction.LOG,
    "pause": WatchdogEventAction.PAUSE,
    "poweroff": WatchdogEventAction.DESTROY,
    "reset": WatchdogEventAction.RESET,
    "shutdown": WatchdogEventAction.SHUTDOWN,
}
NO_RATES = DiskRates()


def build(vm: Vm, *, elapsed: int, now: float) -> RunningVmStats | ExitedVmStats:
    """`elapsed` seconds since the start; `now` is the monotonic clock in seconds."""
    if vm.is_down:
        assert vm.exit is not None
        return ExitedVmStats(
            exit_code=vm.exit.code,
            exit_message=vm.exit.message,
            exit_reason=vm.exit.reason,
            status=VmStatus.DOWN,
            time_offset=vm.time_offset,
            vm_id=vm.id,
        )
    known, measured, guest = vm.definition, vm.measured, vm.guest
    first = next(iter(known.graphics), None)
    return RunningVmStats(
        acpi_enable=known.acpi,
        apps_list=list(guest.applications or ()) if guest else [],
        balloon_info=_balloon(known, measured),
        cdrom=known.cdrom,
        client_ip=vm.client_ip,
        cpu_actual=measured is not None and measured.has_rates,
        cpu_sys_percent=measured.cpu_other if measured else 0.0,
        cpu_usage_ns=_cpu_usage(measured),
        cpu_user_percent=measured.cpu_guest if measured else 0.0,
        disks=_disks(known.disks, measured),
        disks_usage=_mounts(guest),
        display_info=[_display(graphics) for graphics in known.graphics],
        display_ip=first.listen if first else "0",
        display_port=first.port if first else -1,
        display_secure_port=first.tls_port if first else -1,
        display_type=_display_type(first),
        elapsed_time=elapsed,
        guest_containers=_containers(guest),
        guest_cpu_count=-1 if guest is None or guest.cpus is None else guest.cpus,
        guest_fqdn=(guest.fqdn or guest.host_name or "") if guest else "",
        guest_ips=" ".join(guest.addresses) if guest else "",
        guest_name=(guest.host_name or "").partition(".")[0] if guest else None,
        guest_os=(guest.os.kernel if guest.os.kind == "linux" else guest.os.name) if guest and guest.os else None,
        guest_os_info=_guest_os(guest),
        guest_timezone=_guest_timezone(guest),
        hash=known.fingerprint,
        kvm_enable=known.virt_type == "kvm",
        memory_stats=_memory(known, measured, guest),
        mem_usage_percent=_memory_usage(measured, guest),
        migration_progress_percent=vm.departure.progress if vm.departure and vm.departure.is_active else None,
        monitor_response=0 if vm.responding else -1,
        net_ifaces=_guest_interfaces(guest),
        network=_network(known.interfaces, measured),
        nvram_hash=_digest(vm, Kind.NVRAM),
        pause_code=vm.pause_code,
        session=_session(guest),
        status=vm.status,
        status_time_ms=int(now * 1000),
        time_offset=vm.time_offset,
        tpm_hash=_digest(vm, Kind.TPM),
        username=", ".join(guest.users or ()) if guest else "",
        vcpu_count=len(measured.full.vcpus) or known.vcpus if measured else known.vcpus,
        vm_id=vm.id,
        vm_jobs=vm_jobs(vm),
        vm_name=vm.name,
        vm_type=VmType.KVM,
        watchdog_event=_watchdog(vm),
    )


def definition(vm: Vm) -> VmDefinition:
    """The VM as VM.create and VM.getInfo answer it."""
    known = vm.definition
    first = next(iter(known.graphics), None)
    return VmDefinition(
        acpi_enable=known.acpi,
        client_ip=vm.client_ip,
        cpu_type=known.cpu or "qemu64",
        custom=known.custom or None,
        display=_display_type(first),
        display_ip=first.listen if first else None,
        display_port=first.port if first else None,
        display_secure_port=first.tls_port if first else None,
        emulated_machine=known.machine or "pc",
        exit_code=vm.exit.code if vm.exit else None,
        exit_message=vm.exit.message if vm.exit else None,
        keyboard_layout=first.keymap if first else None,
        kvm_enable=known.virt_type == "kvm",
        max_mem_size=known.max_memory,
        max_v_cpus=known.max_vcpus,
        mem_guaranteed_size=known.guaranteed_memory,
        mem_size=known.memory,
        pause_code=vm.pause_code,
        smp=known.vcpus,
        smp_cores_per_socket=known.cores_per_socket,
        smp_threads_per_core=known.threads_per_core,
        status=vm.status,
        time_offset=vm.time_offset,
        vm_id=vm.id,
        vm_name=vm.name,
        xml=public_xml(vm),
    )


def full_info(vm: Vm, *, now: float) -> VMFullInfo:
    known, guest = vm.definition, vm.guest
    first = next(iter(known.graphics), None)
    return VMFullInfo(
        acpi_enable=known.acpi,
        arch=known.arch,
        client_ip=vm.client_ip,
        cpu_type=known.cpu,
        custom=known.custom,
        devices=_devices(vm),
        display=_display_type(first),
        display_ip=first.listen if first else None,
        display_port=first.port if first else None,
        display_secure_port=first.tls_port if first else None,
        emulated_machine=known.machine,
        guest_disk_mapping=_guest_disks(guest),
        guest_fqdn=(guest.fqdn or guest.host_name or "") if guest else "",
        guest_ips=" ".join(guest.addresses) if guest else "",
        guest_os_info=_guest_os(guest),
        guest_timezone=_guest_timezone(guest),
        keyboard_layout=first.keymap if first else None,
        kvm_enable=known.virt_type == "kvm",
        mem_guaranteed_size=known.guaranteed_memory,
        mem_size=known.memory,
        pause_code=vm.pause_code,
        smp=known.vcpus,
        smp_cores_per_socket=known.cores_per_socket,
        status=vm.status.value,
        status_time_ms=int(now * 1000),
        time_offset=vm.time_offset,
        username=", ".join(guest.users or ()) if guest else "",
        vm_id=vm.id,
        vm_name=vm.name,
        vm_type=VmType.KVM,
        xml=public_xml(vm),
    )


def _devices(vm: Vm) -> list[VmDevice]:
    """Those for which the API has words. Reading them takes milliseconds, so it is done once per description."""
    if vm.told_devices is None or vm.told_devices[0] is not vm.xml:
        root = safe_xml.parse_own(vm.xml, "xml")
        told = (kinds.tell(device) for device in kinds.read_all(root))
        chains = {drive.target: drive for drive in drives.read(root)}
        vm.told_devices = (vm.xml, [_with_chain(device, chains) for device in told if device is not None])
    return vm.told_devices[1]


def _with_chain(device: VmDevice, chains: Mapping[str, drives.Drive]) -> VmDevice:
    """Disks with the ids of their volumes; those that an engine has not named have none."""
    drive = chains.get(device.name or "") if isinstance(device, VmDiskDevice) else None
    if drive is None or not isinstance(device, VmDiskDevice):
        return device
    return msgspec.structs.replace(
        device,
        domain_id=drive.domain_id,
        image_id=drive.image_id or device.image_id,
        pool_id=drive.pool_id,
        volume_id=drive.active.volume_id,
        volume_chain=_chain(drive) or None,
    )


def _chain(drive: drives.Drive) -> list[VmDiskDeviceVolumeChainEntry]:
    """From the base to the leaf. Empty unless each volume has its ids: half a chain would be taken for the whole."""
    found = []
    for layer in reversed(drive.layers):
        image_id = layer.image_id or drive.image_id
        if layer.volume_id is None or image_id is None or drive.domain_id is None:
            return []
        found.append(
            VmDiskDeviceVolumeChainEntry(
                domain_id=drive.domain_id, image_id=image_id, path=layer.path, volume_id=layer.volume_id
            )
        )
    return found


def public_xml(vm: Vm) -> str:
    """The description without passwords."""
    if "passwd=" not in vm.xml:
        return vm.xml
    root = safe_xml.parse_own(vm.xml, "xml")
    for graphics in root.iterfind("devices/graphics"):
        graphics.attrib.pop("passwd", None)
    return safe_xml.text_of(root)


def _digest(vm: Vm, kind: Kind) -> str | None:
    known = vm.external_data.get(kind)
    return known.hash if known is not None and known.hash else None


def _cpu_usage(measured: Measured | None) -> int | None:
    if measured is None or measured.latest.cpu_time is None:
        return None
    return int(measured.latest.cpu_time * NANOSECONDS)


def _balloon(known: Definition, measured: Measured | None) -> BalloonInfo | None:
    balloon = measured.balloon if measured else None
    if balloon is None:
        return None
    return BalloonInfo(
        balloon_cur=balloon.current,
        balloon_max=balloon.maximum,
        balloon_min=known.guaranteed_memory,
        balloon_target=_balloon_target(known, balloon.current),
        ballooning_enabled=known.balloon,
    )


def _balloon_target(known: Definition, current: int) -> int:
    """What was asked for, which the guest may not have reached yet."""
    kib = known.metadata.get("balloonTarget")
    return kib << 10 if isinstance(kib, int) and kib > 0 else current


def _memory(known: Definition, measured: Measured | None, guest: GuestFacts | None) -> GuestMemoryStats | None:
    balloon = measured.balloon if measured else None
    if balloon is None or balloon.unused is None or measured is None:
        told = guest.memory if guest else None
        return GuestMemoryStats(mem_total=told.total, mem_unused=told.unused, mem_free=told.unused) if told else None
    rates = measured.memory if measured.has_rates else None
    return GuestMemoryStats(
        mem_total=balloon.available or known.memory,
        mem_unused=balloon.unused,
        mem_free=balloon.unused,
        majflt=int(rates.major_faults) if rates else None,
        minflt=int(rates.minor_faults) if rates else None,
        pageflt=int(rates.major_faults + rates.minor_faults) if rates else None,
        swap_in_bytes_per_second=int(rates.swap_in) if rates else None,
        swap_out_bytes_per_second=int(rates.swap_out) if rates else None,
    )


def _memory_usage(measured: Measured | None, guest: GuestFacts | None) -> int:
    balloon = measured.balloon if measured else None
    if balloon is not None and balloon.available and balloon.unused is not None:
        total, unused = balloon.available, balloon.unused
    elif guest is not None and guest.memory is not None:
        total, unused = guest.memory.total, guest.memory.unused
    else:
        return 0
    return min(max(round(100 * (total - unused) / total), 0), 100)


def _disks(disks: tuple[Disk, ...], measured: Measured | None) -> dict[str, VmDiskStats] | None:
    if measured is None:
        return None
    samples = tops(measured.full.disks)
    return {
        disk.target: _disk(disk, samples[disk.target], measured.disks.get(disk.target, NO_RATES))
        for disk in disks
        if disk.target in samples
    }


def _disk(disk: Disk, sample: DiskSample, rates: DiskRates) -> VmDiskStats:
    return VmDiskStats(
        apparentsize=sample.physical or sample.capacity or 0,
        flush_latency_ns=rates.flush_latency * NANOSECONDS,
        image_id=disk.serial if disk.serial and len(disk.serial) == 36 else None,
        read_bytes=sample.read_bytes,
        read_latency_ns=rates.read_latency * NANOSECONDS,
        read_ops=sample.read_requests,
        read_rate_bytes_per_second=rates.read,
        truesize=sample.allocation or 0,
        write_latency_ns=rates.write_latency * NANOSECONDS,
        write_ops=sample.write_requests,
        write_rate_bytes_per_second=rates.write,
        written_bytes=sample.write_bytes,
    )


def _network(interfaces: tuple[Interface, ...], measured: Measured | None) -> dict[str, NetworkInterfaceStats] | None:
    if measured is None:
        return None
    samples = {sample.name: sample for sample in measured.latest.interfaces}
    return {
        card.target: _card(card, sample, measured.at)
        for card in interfaces
        if (sample := samples.get(card.target)) is not None
    }


def _card(card: Interface, sample: InterfaceSample, at: float) -> NetworkInterfaceStats:
    return NetworkInterfaceStats(
        mac_addr=card.mac,
        name=card.target,
        rx=sample.rx_bytes,
        rx_dropped=sample.rx_drops,
        rx_errors=sample.rx_errors,
        sample_time=at,
        speed_mbits_per_second=1000 if card.model in FAST_CARDS else 100,
        state=NetworkInterfaceState.UP if card.link_up else NetworkInterfaceState.DOWN,
        tx=sample.tx_bytes,
        tx_dropped=sample.tx_drops,
        tx_errors=sample.tx_errors,
    )


def _display(graphics: Graphics) -> VmDisplayInfo:
    return VmDisplayInfo(
        ip_address=graphics.listen or "0",
        port=graphics.port,
        tls_port=graphics.tls_port,
        type=VmGraphicsDeviceType.SPICE if graphics.kind == "spice" else VmGraphicsDeviceType.VNC,
    )


def _display_type(graphics: Graphics | None) -> VmDisplayType | None:
    if graphics is None:
        return None
    return VmDisplayType.QXL if graphics.kind == "spice" else VmDisplayType.VNC


def _watchdog(vm: Vm) -> WatchdogEvent | None:
    if vm.watchdog is None:
        return None
    return WatchdogEvent(
        action=WATCHDOG_ACTIONS.get(vm.watchdog.action, WatchdogEventAction.IGNORE), time=vm.watchdog.at
    )


def _session(guest: GuestFacts | None) -> GuestSessionState:
    if guest is not None and guest.session is not None:
        return GuestSessionState(guest.session.value)
    if guest is None or guest.users is None:
        return GuestSessionState.UNKNOWN
    return GuestSessionState.USER_LOGGED_ON if guest.users else GuestSessionState.LOGGED_OFF


def _mounts(guest: GuestFacts | None) -> list[GuestMountInfo] | None:
    if guest is None or guest.mounts is None:
        return None
    return [GuestMountInfo(fs=m.kind, path=m.path, total=m.total, used=m.used) for m in guest.mounts]


def _guest_interfaces(guest: GuestFacts | None) -> list[GuestNetworkDeviceInfo] | None:
    if guest is None or guest.interfaces is None:
        return None
    return [
        GuestNetworkDeviceInfo(hw=i.mac, inet=list(i.inet), inet6=list(i.inet6), name=i.name) for i in guest.interfaces
    ]


def _containers(guest: GuestFacts | None) -> list[GuestContainerInfo] | None:
    if guest is None or guest.containers is None:
        return None
    return [
        GuestContainerInfo(id=c.id, names=list(c.names), image=c.image, command=c.command, status=c.status)
        for c in guest.containers
    ]


def _guest_disks(guest: GuestFacts | None) -> dict[str, GuestDiskMappingInfo] | None:
    if guest is None or guest.disks is None:
        return None
    return {serial: GuestDiskMappingInfo(name=name) for serial, name in guest.disks}


def _guest_os(guest: GuestFacts | None) -> VMGuestOsInfo | None:
    if guest is None or guest.os is None:
        return None
    system = guest.os
    return VMGuestOsInfo(
        arch=system.machine,
        codename=system.codename,
        distribution="" if system.kind == "windows" else system.name,
        kernel=system.kernel,
        type=system.kind,
        version=system.name if system.kind == "windows" else system.version,
    )


def _guest_timezone(guest: GuestFacts | None) -> VMGuestTimezone | None:
    if guest is None or guest.timezone is None:
        return None
    return VMGuestTimezone(offset_minutes=guest.timezone.offset // 60, zone=guest.timezone.zone)
