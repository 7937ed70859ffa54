"""The point `after_disk_prepare`: a script is told of each disk of a storage domain once its volume can be used.

It may put another place in its stead, a copy on a disk of this host for instance. Its failure refuses the disk.

    {"poolID": …, "domainID": …, "imageID": …, "volumeID": …, "name": "sda", "device": "disk",
     "path": …, "format": "cow" | "raw"}       the last two may be changed
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lxml import etree

from ovis.node.hooks.hooks import Hooks
from ovis.node.vm import metadata
from ovis.node.vm.disks import drives, keeping
from ovis.node.vm.disks.keeping import NAMES, Kept

POINT = "after_disk_prepare"
DRIVERS = {"cow": "qcow2", "raw": "raw"}

IsBlock = Callable[[str], Awaitable[bool]]


async def in_description(hooks: Hooks, vm_id: str, root: etree._Element, is_block: IsBlock) -> None:
    """For each disk of a new VM. Raises HookFailed."""
    if not hooks.has(POINT):
        return
    custom = metadata.custom(root)
    groups = {group.get("name"): group for group in drives.device_groups(metadata.element(root))}
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        group = groups.get(target.get("dev")) if target is not None else None
        if group is not None:
            ids = {name: drives.text_of(group, name) or "" for name in NAMES}
            await of_disk(hooks, vm_id, disk, ids, custom, is_block)


async def of_disk(
    hooks: Hooks,
    vm_id: str,
    disk: etree._Element,
    ids: Mapping[str, object],
    variables: Mapping[str, str],
    is_block: IsBlock,
) -> None:
    """Raises HookFailed."""
    if not hooks.has(POINT) or not (ids.get("volumeID") and ids.get("imageID")):
        return
    told = _told(disk, ids)
    left: Any = await hooks.run_json(POINT, told, vm_id=vm_id, variables=variables)
    if left == told:
        return
    path, form = (left.get("path"), left.get("format")) if isinstance(left, dict) else (None, None)
    if not isinstance(path, str) or not path.startswith("/") or form not in DRIVERS:
        hooks.refuse(POINT, f"no absolute path, or no format cow or raw, was left: {path!r}, {form!r}", instead=None)
        return
    keeping.point(disk, Kept(path, await is_block(path), DRIVERS[form], ()))
    driver = disk.find("driver")
    if driver is None:
        driver = etree.SubElement(disk, "driver", name="qemu")
    driver.set("type", DRIVERS[form])


def _told(disk: etree._Element, ids: Mapping[str, object]) -> dict[str, str]:
    source, driver, target = disk.find("source"), disk.find("driver"), disk.find("target")
    path = "" if source is None else source.get("file") or source.get("dev") or ""
    is_cow = driver is not None and driver.get("type") == "qcow2"
    return {
        **{name: str(ids.get(name) or "") for name in NAMES},
        "path": path,
        "format": "cow" if is_cow else "raw",
        "name": "" if target is None else target.get("dev", ""),
        "device": disk.get("device", "disk"),
    }
