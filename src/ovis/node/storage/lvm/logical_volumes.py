"""Making, changing and activating logical volumes.

A new one is made active, its first 4 KiB are zeroed and every signature that blkid knows is wiped, in the command that
makes it: extents still hold what the disk before had, and neither udev on this host nor a guest shall take a partition
table or a file system for its own. (The rest of the old data is what wiping when deleting is for.)

Activation never changes the group's metadata: any host may do it. A volume that is active read-only becomes writable,
and one that another host has grown gets its new size, by a refresh.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePosixPath

from ovis.node.storage.lvm.errors import (
    LvmFailed,
    VolumeActivateFailed,
    VolumeCreateFailed,
    VolumeDeactivateFailed,
    VolumeExtendFailed,
    VolumeRefreshFailed,
    VolumeRemoveFailed,
    VolumeTagsFailed,
)
from ovis.node.storage.lvm.lvm import Lvm

_NO_ROOM = ("insufficient free space", "Insufficient free space", "Insufficient suitable allocatable extents")


class GroupFull(LvmFailed):
    """The group has no room; nothing was changed."""

    wire_name = "NoSpaceLeftOnDomain"


def path(lvm: Lvm, group: str, volume: str) -> PurePosixPath:
    """There while it is active here."""
    return lvm.device_folder / group / volume


def is_active(lvm: Lvm, group: str, volume: str) -> bool:
    """On this host, as udev says. /dev is memory: nothing to wait for."""
    return Path(path(lvm, group, volume)).exists()


def active(lvm: Lvm, group: str) -> list[str]:
    """Names of the group's volumes that are active here, its former ones too, as udev says."""
    try:
        return os.listdir(lvm.device_folder / group)
    except FileNotFoundError:
        return []


def is_read_only(lvm: Lvm, group: str, volume: str) -> bool:
    """Of one that is active: as the kernel has it."""
    node = Path(path(lvm, group, volume)).resolve().name
    try:
        return Path("/sys/class/block", node, "ro").read_text() == "1\n"
    except OSError:
        return False


async def create(lvm: Lvm, group: str, name: str, size: int, *, tags: Iterable[str] = ()) -> PurePosixPath:
    """Of `size` bytes, a multiple of 512, rounded up to extents; it is active. Raises GroupFull, VolumeCreateFailed."""
    words = ["lvcreate", "-y", "--activate", "y", "--zero", "y", "--wipesignatures", "y"]
    words += ["--name", name, "--size", f"{size}b"]
    for tag in tags:
        words += ["--addtag", tag]
    await _room(lvm, group, (*words, group), f"making logical volume {name} in {group}", VolumeCreateFailed)
    return path(lvm, group, name)


async def resize(lvm: Lvm, group: str, name: str, size: int, *, grow: bool) -> None:
    """To `size` bytes, whole extents, other than it has. Data behind the new end are lost. Raises GroupFull, ..."""
    words = ("lvextend", "--size", f"{size}b") if grow else ("lvreduce", "-f", "-y", "--size", f"{size}b")
    tried = f"{'extending' if grow else 'reducing'} {group}/{name} to {size} bytes"
    await _room(lvm, group, (*words, _full(group, name)), tried, VolumeExtendFailed)


async def grow(lvm: Lvm, group: str, name: str, size: int) -> None:
    """As `resize`, for a guest that waits: one that is active here stays so, and has the new size at once. Raises
    VolumeExtendFailed also where it is as large already."""
    words = ("lvextend", "--size", f"{size}b", _full(group, name))
    tried = f"extending {group}/{name} to {size} bytes"
    await _room(lvm, group, words, tried, VolumeExtendFailed, is_waited_for=True)


async def refresh(lvm: Lvm, group: str, name: str) -> None:
    """One that is active here gets the size that another host gave it, while a guest waits. Raises
    VolumeRefreshFailed."""
    words = ("lvchange", "--refresh", _full(group, name))
    tried = f"refreshing {group}/{name}"
    await lvm.change(words, tried=tried, failure=VolumeRefreshFailed, group=group, is_waited_for=True)


async def remove(lvm: Lvm, group: str, names: Sequence[str]) -> None:
    """Active ones too, but none that is open. Each is committed by itself. Raises VolumeRemoveFailed."""
    if names:
        words = ("lvremove", "-f", "-y", *_all(group, names))
        await lvm.change(
            words, tried=f"removing {', '.join(names)} of {group}", failure=VolumeRemoveFailed, group=group
        )


async def change_tags(
    lvm: Lvm, group: str, names: Sequence[str], *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> None:
    """One commit for each volume. Raises VolumeTagsFailed."""
    words = ["lvchange"]
    for option, tags in (("--deltag", remove), ("--addtag", add)):
        for tag in tags:
            words += [option, tag]
    if names and len(words) > 1:
        tried = f"changing the tags of {', '.join(names)} in {group}"
        await lvm.change((*words, *_all(group, names)), tried=tried, failure=VolumeTagsFailed, group=group)


async def activate(lvm: Lvm, group: str, names: Collection[str], *, writable: bool = True) -> None:
    """All of `names`, with their present sizes, whether they are active already or not.

    One that is active and writable stays writable, whoever asks: somebody may be writing. Raises VolumeActivateFailed.
    """
    active = [name for name in names if is_active(lvm, group, name)]
    inactive = [name for name in names if name not in active]
    protected = () if writable else [name for name in names if name in inactive or is_read_only(lvm, group, name)]
    config = {"activation/read_only_volume_list": _all(group, protected)} if protected else {}
    if active:
        words = ("lvchange", "--refresh", *_all(group, active))
        tried = f"refreshing {', '.join(active)} of {group}"
        await lvm.change(words, tried=tried, failure=VolumeRefreshFailed, group=group, config=config)
    if inactive:
        words = ("lvchange", "--activate", "y", *_all(group, inactive))
        tried = f"activating {', '.join(inactive)} of {group}"
        await lvm.change(words, tried=tried, failure=VolumeActivateFailed, group=group, config=config)


async def deactivate(lvm: Lvm, group: str, names: Collection[str]) -> None:
    """Those of `names` that are active here. One that is open stays. Raises VolumeDeactivateFailed."""
    if active := [name for name in names if is_active(lvm, group, name)]:
        words = ("lvchange", "--activate", "n", *_all(group, active))
        await lvm.change(
            words, tried=f"deactivating {', '.join(active)} of {group}", failure=VolumeDeactivateFailed, group=group
        )


async def _room(
    lvm: Lvm, group: str, words: Sequence[str], tried: str, failure: type[LvmFailed], *, is_waited_for: bool = False
) -> None:
    try:
        await lvm.change(words, tried=tried, failure=failure, group=group, is_waited_for=is_waited_for)
    except LvmFailed as error:
        if any(said in error.said for said in _NO_ROOM):
            raise GroupFull(tried, error.exit_code, error.said) from error
        raise


def _all(group: str, names: Iterable[str]) -> list[str]:
    return [_full(group, name) for name in names]


def _full(group: str, name: str) -> str:
    return f"{group}/{name}"
