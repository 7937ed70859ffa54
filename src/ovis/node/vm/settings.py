"""What the VM code is told of the host and its configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ovis.node.vm.migration.settings import MigrationSettings

FIRMWARE_PATHS = tuple(
    Path(path)
    for path in (
        "/usr/share/OVMF",
        "/usr/share/AAVMF",
        "/usr/share/edk2",
        "/usr/share/qemu",
        "/usr/share/seabios",
        "/var/lib/libvirt/qemu/nvram",
    )
)
SOCKET_PATHS = tuple(
    Path(path) for path in ("/var/lib/libvirt/qemu", "/run/libvirt/qemu", "/run/ovirt-vmconsole-console")
)


@dataclass(frozen=True)
class VmSettings:
    """Times in seconds.

    `virt_type` is libvirt's word for the chosen acceleration. `boot_grace`: a guest without an agent counts as booted
    after it. `os_name`, `os_version` and `host_serial` fill the placeholders of an engine's XML.
    """

    allowed_paths: tuple[Path, ...] = ()
    device_links: tuple[str, ...] = ()
    """Folders in which the agent alone makes links, which may lead to block devices anywhere; `*` for one name."""
    firmware_paths: tuple[Path, ...] = FIRMWARE_PATHS
    socket_paths: tuple[Path, ...] = SOCKET_PATHS
    virt_type: Literal["kvm", "qemu"] = "kvm"
    display_address: str = "127.0.0.1"
    os_name: str = "Ovis"
    os_version: str = "0"
    host_serial: str = "00000000-0000-0000-0000-000000000000"
    sample_period: float = 15.0
    guest_period: float = 30.0
    boot_grace: float = 60.0
    shutdown_timeout: float = 30.0
    paused_limit: float = 80.0
    """After it a VM that a disk has paused, and that is set to be killed then, is ended: others may have its lease."""
    unplug_timeout: float = 30.0
    """How long a guest may take to give a device up."""
    nvram_folder: Path = Path("/var/lib/libvirt/qemu/nvram")
    """Where UEFI variables may be written, beside the allowed paths."""
    swtpm_folder: Path = Path("/var/lib/libvirt/swtpm")
    """Where libvirt has the contents of emulated TPMs."""
    external_period: float = 60.0
    """Between two looks at TPMs and UEFI variables."""
    freeze_limit: float = 180.0
    """A guest that nobody thaws is thawed by itself: longer than a snapshot takes, shorter than a guest bears it."""
    payload_folder: Path = Path("/run/ovis/payloads")
    """Media that are made for VMs."""
    backup_folder: Path = Path("/run/ovis/backup")
    """Sockets at which the disks of a backup are read."""
    scratch_folder: Path = Path("/var/lib/ovis/node/scratch")
    """What guests overwrite while a backup is read, unless its client brings its own place."""
    transient_folder: Path = Path("/var/lib/ovis/node/storage/transient")
    """What guests write to transient disks. The agent alone makes files there."""
    thin_step: int = 2560 << 20
    """Bytes by which a thin disk on block storage grows at least."""
    thin_room: float = 0.8
    """Part of a step that must be left free; below it the disk grows."""
    path_deadline: float = 10.0
    """Looking at disks may hang where their storage does."""
    migration: MigrationSettings = field(default_factory=MigrationSettings)
