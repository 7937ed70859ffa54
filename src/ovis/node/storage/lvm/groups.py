"""Making, growing and shrinking volume groups, and the disks in them.

The layout of a group that is to be a storage domain:

    first disk      | label | LVM's metadata 128 MiB | extents of 128 MiB ... | metadata 128 MiB |    both copies in use
    other disks     | label | unused      128 MiB    | extents of 128 MiB ... | unused   128 MiB |    areas ignored

The metadata are on one disk so that a commit is one write (two copies of it), and the others can leave the group. No
group made here becomes active by being seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath

from ovis.node.storage.formats.domain_metadata import MAX_DEVICES
from ovis.node.storage.formats.group_tags import TagChange
from ovis.node.storage.lvm.errors import (
    DeviceInUse,
    ForbiddenDevice,
    GroupCreateFailed,
    GroupExists,
    GroupExtendFailed,
    GroupReduceFailed,
    GroupRemoveFailed,
    GroupTagsFailed,
    NoSuchDestination,
    NoSuchDevice,
    PhysicalVolumeInitFailed,
    PhysicalVolumeMoveFailed,
    PhysicalVolumeResizeFailed,
    TooManyDevices,
)
from ovis.node.storage.lvm.lvm import Lvm
from ovis.node.storage.lvm.reports import Group, PhysicalVolume

MIB = 1 << 20
EXTENT = 128 * MIB
METADATA_AREA = 128 * MIB
METADATA_COPIES = 2

_AREAS = (
    *("--metadatasize", f"{METADATA_AREA}b", "--metadatacopies", str(METADATA_COPIES)),
    *("--dataalignment", f"{MIB}b"),
)


async def create(
    lvm: Lvm, name: str, devices: Sequence[PurePosixPath], *, tags: Iterable[str] = (), force: bool = False
) -> Group:
    """A group on `devices`, whose content is lost. After a failure there is no group; some disks may be LVM's.

    Safe to repeat after that. Raises GroupExists, DeviceInUse, TooManyDevices, LvmFailed.
    """
    paths = _different(devices)
    async with lvm.changing(name):
        if name in await lvm.groups():
            raise GroupExists(name)
        await _initialise(lvm, paths[:1], is_metadata_used=True, force=force)
        if paths[1:]:
            await _initialise(lvm, paths[1:], is_metadata_used=False, force=force)
        words = ["vgcreate", "--physicalextentsize", f"{EXTENT}b", "--setautoactivation", "n"]
        await lvm.change(
            (*words, *_each("--addtag", tags), name, *paths),
            tried=f"making volume group {name}",
            failure=GroupCreateFailed,
        )
    return await lvm.group(name)


async def extend(lvm: Lvm, name: str, devices: Sequence[PurePosixPath], *, force: bool = False) -> Group:
    """Add disks; those that are in the group already are passed over. Raises NoSuchGroup, DeviceInUse, ..."""
    async with lvm.changing(name):
        group = await lvm.group(name)
        present = {device.name for device in group.devices}
        new = [path for path in _different(devices) if path not in present]
        if len(present) + len(new) > MAX_DEVICES:
            raise TooManyDevices(len(present) + len(new), MAX_DEVICES)
        if new:
            await _initialise(lvm, new, is_metadata_used=False, force=force)
            tried = f"adding {', '.join(new)} to volume group {name}"
            await lvm.change(("vgextend", name, *new), tried=tried, failure=GroupExtendFailed)
    return await lvm.group(name)


async def reduce(lvm: Lvm, name: str, device: PurePosixPath) -> None:
    """Take an emptied disk out of its group. Not in it (any more): nothing to do. Raises ForbiddenDevice, LvmFailed."""
    async with lvm.changing(name):
        member = find(await lvm.group(name), device)
        if member is None:
            return
        check_may_leave(member)
        tried = f"taking {device} out of volume group {name}"
        await lvm.change(("vgreduce", name, str(device)), tried=tried, failure=GroupReduceFailed)
        await lvm.change(("pvremove", "-y", str(device)), tried=f"clearing {device}", failure=GroupReduceFailed)


async def move(lvm: Lvm, name: str, device: PurePosixPath, to: Sequence[PurePosixPath] = (), *, seconds: float) -> None:
    """Move all data off a disk of the group (to the disks `to`, else wherever there is room), all or nothing.

    Ended in the middle by whatever, the data stay where they were, once `abort_move` has run. Repeatable. The group can
    be changed meanwhile, as far as LVM lets volumes that are being moved be changed.
    Raises NoSuchDevice, NoSuchDestination, PhysicalVolumeMoveFailed.
    """
    group = await lvm.group(name)
    member = find(group, device)
    if member is None:
        raise NoSuchDevice([str(device)], f"volume group {name}")
    if missing := [str(path) for path in to if find(group, path) is None]:
        raise NoSuchDestination(missing, f"volume group {name}")
    if member.allocated_extents == 0:
        return
    words = ("pvmove", "--atomic", "--interval", "1", str(device), *map(str, to))
    tried = f"moving what is on {device} of volume group {name}"
    await lvm.change(words, tried=tried, failure=PhysicalVolumeMoveFailed, group=name, seconds=seconds)


async def abort_move(lvm: Lvm, name: str, device: PurePosixPath) -> None:
    """Undo a move that was ended. None under way: nothing happens."""
    async with lvm.changing(name):
        words = ("pvmove", "--abort", str(device))
        await lvm.change(words, tried=f"undoing the move off {device}", failure=PhysicalVolumeMoveFailed)


async def resize(lvm: Lvm, name: str, device: PurePosixPath) -> int:
    """Take over a disk's new size, the kernel knowing it already; bytes of the physical volume. Raises NoSuchDevice."""
    async with lvm.changing(name):
        if find(await lvm.group(name), device) is None:
            raise NoSuchDevice([str(device)], f"volume group {name}")
        tried = f"taking over the size of {device}"
        await lvm.change(("pvresize", str(device)), tried=tried, failure=PhysicalVolumeResizeFailed, group=name)
    member = find(await lvm.group(name), device)
    if member is None:
        raise NoSuchDevice([str(device)], f"volume group {name}")
    return member.size


async def remove(lvm: Lvm, name: str) -> None:
    """The group, all in it, and LVM's marks on its disks. Raises NoSuchGroup, GroupRemoveFailed."""
    async with lvm.changing(name):
        group = await lvm.group(name)
        tried = f"removing volume group {name}"
        await lvm.change(("vgremove", "-f", "-y", name), tried=tried, failure=GroupRemoveFailed)
        devices = [device.name for device in group.devices if not device.is_missing]
        await lvm.change(("pvremove", "-y", *devices), tried=tried, failure=GroupRemoveFailed)


async def change_tags(lvm: Lvm, name: str, change: TagChange) -> None:
    """In one commit. The caller holds `lvm.changing(name)`, in which it read what it changes."""
    if not change.remove and not change.add:
        return
    words = ("vgchange", *_each("--deltag", change.remove), *_each("--addtag", change.add), name)
    await lvm.change(words, tried=f"changing the tags of volume group {name}", failure=GroupTagsFailed, group=name)


def find(group: Group, device: PurePosixPath) -> PhysicalVolume | None:
    return next((member for member in group.devices if member.name == str(device)), None)


def metadata_device(group: Group) -> PhysicalVolume:
    """The disk that the group's own metadata are on. Raises ForbiddenDevice: none of the disks here has them."""
    for device in group.devices:
        if device.used_metadata_areas and not device.is_missing:
            return device
    raise ForbiddenDevice(group.name, "no disk with its metadata is seen")


def check_may_leave(device: PhysicalVolume) -> None:
    """Raises ForbiddenDevice."""
    if device.used_metadata_areas:
        raise ForbiddenDevice(device.name, "LVM's metadata of the group are on it")


async def used_devices(lvm: Lvm, devices: Collection[str]) -> list[tuple[str, str]]:
    """Those that LVM would not take without force, and why."""
    taken = {device.name: device.group for device in await lvm.devices() if device.group}
    used = [(path, f"of volume group {taken[path]}") for path in devices if path in taken]
    free = [path for path in devices if path not in taken]
    if not free or await _would_take(lvm, free):
        return used
    # one by one only when there is something to find: a command looks at all disks of the host
    return used + [
        (path, "LVM refuses it: in use or partitioned") for path in free if not await _would_take(lvm, [path])
    ]


async def _would_take(lvm: Lvm, devices: Sequence[str]) -> bool:
    return await lvm.passes(("pvcreate", "--test", *devices))


async def _initialise(lvm: Lvm, devices: Sequence[str], *, is_metadata_used: bool, force: bool) -> None:
    taken = [(device.name, device.group) for device in await lvm.devices() if device.name in devices and device.group]
    if taken and not force:
        raise DeviceInUse([(name, f"of volume group {group}") for name, group in taken])
    # without -y LVM asks before it wipes a file system, hears nothing, and refuses: as it should
    words = ("pvcreate", *(("-y", "-ff") if force else ()), *_AREAS)
    ignored = ("--metadataignore", "n" if is_metadata_used else "y")
    tried = f"preparing {', '.join(devices)} for LVM"
    await lvm.change((*words, *ignored, *devices), tried=tried, failure=PhysicalVolumeInitFailed)


def _different(devices: Sequence[PurePosixPath]) -> list[str]:
    paths = list(dict.fromkeys(str(path) for path in devices))
    if not paths:
        raise NoSuchDevice(["any disk"], "the request")
    if len(paths) > MAX_DEVICES:
        raise TooManyDevices(len(paths), MAX_DEVICES)
    return paths


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
