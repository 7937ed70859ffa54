"""From the caller's words to a description that libvirt gets: all checks that need no change of anything.

Each refusal names the field as the caller wrote it: `vmParams.memSize`, or `vmParams.xml: domain/memory`.
"""

from __future__ import annotations

import copy
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from lxml import etree

from ovis.client.types import VmParameters
from ovis.node.errors import BadParameter
from ovis.node.hooks.hooks import Hooks
from ovis.node.hypervisor.errors import DeadlineExceeded, ThreadsExhausted
from ovis.node.hypervisor.pools import Pool
from ovis.node.vm import (
    arrange,
    definition,
    domain_xml,
    lease_places,
    metadata,
    metadata_check,
    safe_xml,
    xml_difference,
)
from ovis.node.vm.definition import Definition
from ovis.node.vm.disks import keeping
from ovis.node.vm.disks.keeping import VolumeKeeper
from ovis.node.vm.errors import NotEnoughMemory
from ovis.node.vm.host_limits import HostLimits
from ovis.node.vm.lease_places import Leases, NoStorage
from ovis.node.vm.paths import Mention, PathRules, mentions
from ovis.node.vm.payloads import media
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.xml_difference import Change

log = logging.getLogger(__name__)
T = TypeVar("T")
FIELD = "vmParams.xml"
DISK_TYPES = {"file", "block", "network"}


@dataclass(frozen=True)
class Prepared:
    """`xml` is what libvirt gets, secrets included: never log it."""

    xml: str
    definition: Definition
    start_time: float
    launch_paused: bool
    changes: tuple[Change, ...] = ()
    """What was changed in the description that came."""


class Preparer:
    """Looks at the file system in threads of its own: storage that hangs costs further creations only."""

    def __init__(self, settings: VmSettings, volumes: VolumeKeeper | None = None, hooks: Hooks | None = None) -> None:
        self._settings = settings
        self._hooks = hooks or Hooks()
        self.volumes: VolumeKeeper = volumes or keeping.NoVolumes()
        self.leases: Leases = NoStorage()
        self._rules = PathRules(settings)
        self._threads = Pool("vm paths", threads=4)

    def close(self) -> None:
        self._threads.close()

    async def prepare(
        self,
        vm_id: str,
        given: VmParameters,
        limits: HostLimits,
        *,
        now: float,
        host_devices: Mapping[str, str] | None = None,
    ) -> Prepared:
        """`host_devices`: libvirt's XML of those that the parameters name.

        Raises BadParameter and its kind, HookFailed, and what storage says. Media may have been made and volumes taken
        then and afterwards; `Vms.accepting` undoes both.
        """
        vm_id = canonical_id(vm_id, "vmID")
        _refuse_saved_state(given)
        if given.xml is not None:
            field, root = FIELD, safe_xml.parse(given.xml, FIELD)
        else:
            given = await keeping.in_parameters(self.volumes, vm_id, given)
            field, root = "vmParams", await self._build(vm_id, given, host_devices)
        media.set_aside(root, vm_id)
        received = copy.deepcopy(root)
        await keeping.in_description(self.volumes, vm_id, root)
        if self._hooks.has("after_disk_prepare"):
            from ovis.node.vm.disks import prepared_hooks

            await prepared_hooks.in_description(
                self._hooks, vm_id, root, lambda path: self.is_block_device(path, field)
            )  # fmt: skip
        await lease_places.in_description(self.leases, root, field)
        found = definition.read(root, field)
        _check(found, root, vm_id, limits, field)
        metadata_check.check(root)
        await self._within_deadline(lambda: self._check_paths(root, limits, field), field)
        paused = _launch_paused(given, found)
        arrange.arrange(root, self._settings, limits, start_time=now)
        await media.fill(self._settings, vm_id, root, field)
        changes = tuple(xml_difference.difference(received, root))
        for change in changes:
            log.debug("VM %s: %s", vm_id, change)
        return Prepared(safe_xml.text_of(root), definition.read(root, field), now, paused, changes)

    async def _build(self, vm_id: str, given: VmParameters, host_devices: Mapping[str, str] | None) -> etree._Element:
        paths = domain_xml.disk_paths(given)
        block_paths = await self._within_deadline(
            lambda: frozenset(path for path in paths if self._rules.is_block_device(path)), "vmParams.devices"
        )
        return domain_xml.build(vm_id, given, self._settings, block_paths=block_paths, host_devices=host_devices)

    async def check_devices(self, devices: list[etree._Element], limits: HostLimits, field: str) -> None:
        """As devices of a new VM are checked, for those that come later. Raises BadParameter."""
        root = etree.Element("domain")
        etree.SubElement(root, "devices").extend(copy.deepcopy(device) for device in devices)
        _check_devices(root, field)
        await self._within_deadline(lambda: self._check_paths(root, limits, field), field)

    async def is_block_device(self, path: str, field: str) -> bool:
        """Raises BadParameter where its storage does not answer."""
        return await self._within_deadline(lambda: self._rules.is_block_device(path), field)

    async def check_file(self, path: str, field: str) -> None:
        """That it exists in an allowed place. Raises BadParameter."""
        mention = Mention(path, "path", "source", is_disk=True)
        await self._within_deadline(lambda: self._rules.check(mention, field), field)

    async def look(self, work: Callable[[], T], field: str) -> T:
        """`work()`, which may hang with its storage, in a thread. Raises BadParameter when it does."""
        return await self._within_deadline(work, field)

    def _check_paths(self, root: etree._Element, limits: HostLimits, field: str) -> None:
        for mention in mentions(root):
            if mention.is_disk and mention.path == media.PLACEHOLDER:
                continue
            if mention.tag == "emulator":
                if mention.path not in limits.emulators:
                    raise BadParameter(
                        f"{field}: {mention.where}", f"{mention.path} is no QEMU that libvirt knows here"
                    )
            else:
                self._rules.check(mention, field)

    async def _within_deadline(self, work: Callable[[], T], field: str) -> T:
        try:
            return await self._threads.run("look at disks", work, deadline=self._settings.path_deadline)
        except (DeadlineExceeded, ThreadsExhausted) as error:
            raise BadParameter(field, f"the storage of its disks does not answer: {error}") from error


def canonical_id(text: str, field: str) -> str:
    """A UUID in libvirt's spelling. Raises BadParameter."""
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise BadParameter(field, f"{text[:60]!r} is not a UUID") from error


def _refuse_saved_state(given: VmParameters) -> None:
    for value, name in (
        (given.hiber_vol_handle, "hiberVolHandle"),
        (given.memory_dump_volume, "memoryDumpVolume"),
    ):
        if value:
            raise BadParameter(f"vmParams.{name}", "starting from saved state is not supported yet")


def _check(found: Definition, root: etree._Element, vm_id: str, limits: HostLimits, field: str) -> None:
    if canonical_id(found.id, f"{field}: domain/uuid") != vm_id:
        raise BadParameter(f"{field}: domain/uuid", f"{found.id} is not the vmID, {vm_id}")
    if "/" in found.name or not found.name.isprintable() or len(found.name) > 255 or found.name in (".", ".."):
        raise BadParameter(
            f"{field}: domain/name", f"{found.name[:80]!r} holds a slash or unprintable signs, is too long, or . or .."
        )
    _check_memory(found, limits, field)
    if root.get("type", "kvm") not in ("kvm", "qemu"):
        raise BadParameter(f"{field}: domain/@type", f"{root.get('type')!r} is not kvm or qemu")
    if found.machine and found.machine not in limits.machines:
        known = ", ".join(sorted(limits.machines)[:12])
        name = "vmParams.emulatedMachine" if field != FIELD else f"{FIELD}: domain/os/type/@machine"
        raise BadParameter(name, f"{found.machine!r} is no machine type of this host; it has {known} ...")
    _check_devices(root, field)


def _check_memory(found: Definition, limits: HostLimits, field: str) -> None:
    where = f"{FIELD}: domain/memory" if field == FIELD else "vmParams.memSize"
    if found.memory == 0:
        raise BadParameter(where, "must be above 0")
    if found.memory > limits.memory:
        raise NotEnoughMemory(where, found.memory, limits.memory)
    if found.max_memory is not None and found.max_memory < found.memory:
        raise BadParameter(f"{field}: domain/maxMemory", "is less than domain/memory")


def _check_devices(root: etree._Element, field: str) -> None:
    for disk in root.iterfind("devices/disk"):
        target = disk.find("target")
        name = f"{field}: disk {target.get('dev', '?') if target is not None else '?'}"
        for part in (disk, *disk.iter("backingStore", "mirror", "source")):
            kind = part.get("type", "file")
            if kind not in DISK_TYPES:
                raise BadParameter(
                    name, f"disks of type {kind} are not supported yet, only {', '.join(sorted(DISK_TYPES))}"
                )
        if disk.get("device", "disk") in ("disk", "lun") and disk.find("source") is None:
            raise BadParameter(name, "has no source")
        if disk.get("type") == "network" and disk.find("source[@protocol]") is None:
            raise BadParameter(name, "has no source with a protocol, which a disk of the network needs")


def _launch_paused(given: VmParameters, found: Definition) -> bool:
    if given.launch_paused is not None:
        return given.launch_paused
    return metadata.is_true(found.metadata, "launchPaused")
