"""Volumes of storage domains that VMs use: made usable before a VM gets them, let go of once it has ended.

A disk names its volume by ids, in the parameters or in the metadata beside the description. Where those ids are known
to this host's storage, the volume's chain is prepared in the VM's name, the disk gets the path that preparing told, and
the metadata say of what the chain consists. A disk whose domain no host storage knows keeps the path it came with.

What a VM writes to a transient disk goes into a layer on this host, which is removed when the volume is given back.

    take ──> VM is accepted ──> ... ──> VM ends ──> give back
      └── refused: give back          agent dies: the next one gives back what no VM of this host uses
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

import msgspec
from lxml import etree

from ovis.client.types import VmDevice, VmDiskDevice, VmDiskDeviceFormat, VmParameters
from ovis.node.vm import metadata
from ovis.node.vm.disks import drives
from ovis.node.vm.disks.errors import DriveNotFound
from ovis.node.vm.disks.volumes import VolumeIds
from ovis.node.vm.metadata_devices import Data

SHARED, TRANSIENT = "shared", "transient"
NAMES = ("poolID", "domainID", "imageID", "volumeID")


@dataclass(frozen=True)
class KeptLayer:
    """One volume of a chain. `image`: a template's own, where it is one. The lease is None where volumes have none."""

    volume: str
    image: str
    path: str
    lease_path: str | None = None
    lease_offset: int = 0


@dataclass(frozen=True)
class Kept:
    """`layers` from the base up to the volume that was asked for; `driver` is QEMU's word for its format.

    `is_layer`: path and format are those of a layer on top of it, which goes with the VM."""

    path: str
    is_block: bool
    driver: str
    layers: tuple[KeptLayer, ...]
    is_layer: bool = False


class VolumeKeeper(Protocol):
    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        """Make a volume and all below it usable for the VM. Safe to repeat; further volumes of an image come on top.
        `transient`: through a layer that goes with the VM.

        None: no storage domain of this host. Raises NodeError: it is, and cannot be used.
        """
        ...

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        """Of that image, the volume and what is below it: others left the chain."""
        ...

    async def merged(self, ids: VolumeIds, *, base: str, is_active: bool) -> None:
        """Tell the metadata that the layers above `base`, from volume `ids` down, have been merged into it. Safe to
        repeat. Raises NodeError."""
        ...

    async def grow(self, ids: VolumeIds, size: int) -> None:
        """Give a thin volume on block storage at least `size` bytes, as far as its capacity can need them; this host
        sees them when it returns. Raises NodeError: the domain is full, nobody may extend it now."""
        ...

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        """Let go of an image (None: of all that the VM has). Safe to repeat; what cannot be done is logged and left
        for the next start."""
        ...

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        """Let go of what VMs had that are used no more: an earlier agent died before it could. `is_used` is asked at
        the last moment: VMs come while storage is waited for."""
        ...


class NoVolumes:
    """A host without storage domains: disks are named by their paths."""

    async def take(self, vm_id: str, ids: VolumeIds, *, transient: bool = False) -> Kept | None:
        return None

    async def keep_only(self, vm_id: str, ids: VolumeIds) -> None:
        return

    async def merged(self, ids: VolumeIds, *, base: str, is_active: bool) -> None:
        return

    async def grow(self, ids: VolumeIds, size: int) -> None:
        raise DriveNotFound("", f"volume {ids.volume} is of no storage domain of this host")

    async def give_back(self, vm_id: str, image: str | None = None) -> None:
        return

    async def give_back_of_others(self, is_used: Callable[[str], bool]) -> None:
        return


async def in_parameters(keeper: VolumeKeeper, vm_id: str, given: VmParameters) -> VmParameters:
    """With the paths of the disks that are named by their ids alone. Raises NodeError."""
    devices: list[VmDevice] = [
        await named_by_ids(keeper, vm_id, device) if isinstance(device, VmDiskDevice) else device
        for device in given.devices or []
    ]
    return msgspec.structs.replace(given, devices=devices) if given.devices else given


async def named_by_ids(keeper: VolumeKeeper, vm_id: str, disk: VmDiskDevice) -> VmDiskDevice:
    """The disk with path and format, if it has no path and its volume is on a domain of this host. Raises NodeError."""
    ids = ids_of(disk.pool_id, disk.domain_id, disk.image_id, disk.volume_id)
    if disk.path or ids is None or (kept := await keeper.take(vm_id, ids, transient=is_transient(disk.shared))) is None:
        return disk
    return with_path(disk, kept)


def with_path(disk: VmDiskDevice, kept: Kept) -> VmDiskDevice:
    form = VmDiskDeviceFormat.COW if kept.driver == "qcow2" else VmDiskDeviceFormat.RAW
    return msgspec.structs.replace(disk, path=kept.path, format=form)


def ids_told(disk: VmDiskDevice) -> dict[str, str]:
    """The ids that name its volume, as far as it has any, under the names of the metadata; and whether it is
    transient."""
    values = (disk.pool_id, disk.domain_id, disk.image_id, disk.volume_id)
    told = {name: str(value) for name, value in zip(NAMES, values, strict=True) if value}
    return told | ({SHARED: TRANSIENT} if is_transient(disk.shared) else {})


def is_transient(shared: object) -> bool:
    """As the API and the metadata say it of a disk."""
    return shared == TRANSIENT


def is_layer_of(vm_id: str, path: str) -> bool:
    """Whether the file is what a VM has written to a transient disk (storage/volumes/transient.py)."""
    file = PurePath(path)
    return file.parent.name == TRANSIENT and file.suffix == f".{vm_id}"


async def in_description(keeper: VolumeKeeper, vm_id: str, root: etree._Element) -> None:
    """Take what the disks of a description use, and write their paths and chains into it. Raises NodeError."""
    groups = {group.get("name"): group for group in drives.device_groups(metadata.element(root))}
    for disk in root.iterfind("devices/disk"):
        if disk.get("type") == "network":
            continue
        target = disk.find("target")
        group = groups.get(target.get("dev")) if target is not None else None
        ids = None if group is None else ids_of(*(drives.text_of(group, name) for name in NAMES))
        transient = is_transient(drives.text_of(group, SHARED))
        if group is None or ids is None or (kept := await keeper.take(vm_id, ids, transient=transient)) is None:
            continue
        point(disk, kept)
        write_chain(group, ids.domain or "", kept)


def chain_of(domain: str, kept: Kept) -> list[Data]:
    """The chain as the metadata and the API tell it."""
    told: list[Data] = []
    for layer in kept.layers:
        node: dict[str, Data] = {"domainID": domain, "imageID": layer.image, "path": layer.path}
        if layer.lease_path is not None:
            node |= {"leaseOffset": layer.lease_offset, "leasePath": layer.lease_path}
        told.append(node | {"volumeID": layer.volume})
    return told


def write_chain(group: etree._Element, domain: str, kept: Kept) -> None:
    """Replace what a disk's metadata say of its chain."""
    namespace = f"{{{etree.QName(group).namespace}}}" if etree.QName(group).namespace else ""
    for old in group.findall(f"{namespace}volumeChain"):
        group.remove(old)
    chain = etree.SubElement(group, f"{namespace}volumeChain")
    for told in chain_of(domain, kept):
        assert isinstance(told, dict)
        node = etree.SubElement(chain, f"{namespace}volumeChainNode")
        for name, value in told.items():
            member = etree.SubElement(node, f"{namespace}{name}")
            member.text = str(value)
            if isinstance(value, int):
                member.set("type", "int")


def point(disk: etree._Element, kept: Kept) -> None:
    """Let a disk use the volume. What else its source says (slices, locks of devices) stays."""
    source = disk.find("source")
    if source is None:
        source = etree.SubElement(disk, "source")
    for name in ("file", "dev"):
        source.attrib.pop(name, None)
    disk.set("type", "block" if kept.is_block else "file")
    source.set("dev" if kept.is_block else "file", kept.path)
    driver = disk.find("driver")
    if kept.is_layer and driver is not None:
        driver.set("type", kept.driver)
    elif kept.is_layer:
        disk.insert(0, etree.Element("driver", name="qemu", type=kept.driver))


def ids_of(pool: object, domain: object, image: object, volume: object) -> VolumeIds | None:
    """None where they do not name a volume of a domain."""
    if not (volume and image and domain):
        return None
    try:
        ids = VolumeIds.of(volume, image, domain, pool)
    except ValueError:
        return None
    return ids if ids.image and ids.domain else None
