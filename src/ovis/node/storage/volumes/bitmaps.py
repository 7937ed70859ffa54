"""Dirty bitmaps in volumes that no VM uses: which parts changed since a checkpoint, kept in qcow2.

A checkpoint is one bitmap of one name in every layer since it was made; a layer without it, or with a broken one,
means that what changed is not known any more.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ovis.node.storage.formats.volume_metadata import VolumeFormat
from ovis.node.storage.volumes import qemu_img
from ovis.node.storage.volumes.chain import Layer
from ovis.node.storage.volumes.errors import (
    BitmapFailed,
    MergeBitmapFailed,
    NoSuchBitmap,
    QemuImgFailed,
    RemoveBitmapFailed,
    WrongFormat,
)
from ovis.node.storage.volumes.image_info import Bitmap
from ovis.node.storage.volumes.making import NewBitmap
from ovis.node.storage.volumes.qemu_img import Disk

if TYPE_CHECKING:
    from ovis.node.storage.domains.interface import Domain


async def of(domain: Domain, layer: Layer, path: PurePosixPath) -> tuple[Bitmap, ...]:
    if layer.metadata.format is VolumeFormat.RAW:
        return ()
    return (await qemu_img.on(domain).info(Disk(path, qemu_img.QCOW2))).bitmaps


async def to_continue(domain: Domain, parent: Layer, path: PurePosixPath) -> tuple[NewBitmap, ...]:
    """What a new layer on `parent` needs so that its checkpoints go on. A broken bitmap is not worth going on with."""
    return tuple(NewBitmap(found.name, found.granularity) for found in await of(domain, parent, path) if found.is_valid)


async def add(domain: Domain, layer: Layer, path: PurePosixPath, name: str) -> None:
    """Raises BitmapFailed, also when there is one of the name."""
    _require_qcow2(layer)
    if any(found.name == name for found in await of(domain, layer, path)):
        raise BitmapFailed(f"volume {layer.id}", f"has a bitmap {name} already")
    try:
        await qemu_img.on(domain).add_bitmap(Disk(path, qemu_img.QCOW2), name)
    except QemuImgFailed as error:
        raise BitmapFailed(f"volume {layer.id}", f"bitmap {name} was not added: {error}") from error


async def remove(domain: Domain, layer: Layer, path: PurePosixPath, name: str) -> None:
    """Raises NoSuchBitmap, RemoveBitmapFailed."""
    _require_qcow2(layer)
    if all(found.name != name for found in await of(domain, layer, path)):
        raise NoSuchBitmap(f"volume {layer.id}", f"has no bitmap {name}")
    await _remove(domain, layer, path, name)


async def clear(domain: Domain, layer: Layer, path: PurePosixPath) -> None:
    """Valid or broken. Raises RemoveBitmapFailed; some may be gone then."""
    _require_qcow2(layer)
    for found in await of(domain, layer, path):
        await _remove(domain, layer, path, found.name)


async def merge(domain: Domain, top: tuple[Layer, PurePosixPath], base: tuple[Layer, PurePosixPath]) -> None:
    """Join the valid bitmaps of `top` into those of `base`, which gets those that it lacks.

    One that base has, but top not or broken, misses the changes of top: it is removed.
    """
    base_disk, top_disk = Disk(base[1], qemu_img.QCOW2), Disk(top[1], qemu_img.QCOW2)
    if base[0].metadata.format is VolumeFormat.RAW or top[0].metadata.format is VolumeFormat.RAW:
        return
    program = qemu_img.on(domain)
    above = {found.name: found for found in await of(domain, *top)}
    below = {found.name: found for found in await of(domain, *base)}
    try:
        for name, found in below.items():
            if not found.is_valid or name not in above or not above[name].is_valid:
                await program.remove_bitmap(base_disk, name)
        for name, found in above.items():
            if not found.is_valid:
                continue
            if name not in below or not below[name].is_valid:
                # It was made in top, so what base holds is older than it: nothing of base counts as changed.
                await program.add_bitmap(base_disk, name, granularity=found.granularity)
            await program.merge_bitmap(top_disk, name, base_disk)
    except QemuImgFailed as error:
        raise MergeBitmapFailed(f"volume {base[0].id}", f"bitmaps of {top[0].id} were not joined: {error}") from error


async def _remove(domain: Domain, layer: Layer, path: PurePosixPath, name: str) -> None:
    try:
        await qemu_img.on(domain).remove_bitmap(Disk(path, qemu_img.QCOW2), name)
    except QemuImgFailed as error:
        raise RemoveBitmapFailed(f"volume {layer.id}", f"bitmap {name} was not removed: {error}") from error


def _require_qcow2(layer: Layer) -> None:
    if layer.metadata.format is VolumeFormat.RAW:
        raise WrongFormat(f"volume {layer.id}", "is raw and holds no bitmaps")
