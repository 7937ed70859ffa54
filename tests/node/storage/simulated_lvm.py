"""A root helper whose LVM keeps groups in memory and volumes as files; it refuses what LVM refuses, as far as tested.

An active volume is a second name (hard link) of its file below `devices`; `open_volumes` cannot be deactivated.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovis.node.privileged.devices import (
    CheckMaster,
    DeviceFacts,
    DiscardDevice,
    MakeMaster,
    OwnDevice,
    ReadDevice,
    ZeroDevice,
)
from ovis.node.privileged.lvm import RunLvm, checked
from ovis.node.privileged.mounts import Mount, Unmount
from ovis.node.privileged.multipath import DropPartitions
from ovis.node.privileged.protocol import CommandResult

MIB = 1 << 20
EXTENT = 128 * MIB
VALUED = ("--addtag", "--deltag", "--size", "--name", "--activate", "--zero", "--wipesignatures", "--setautoactivation")
VALUED += ("--physicalextentsize", "--metadatasize", "--metadatacopies", "--metadataignore", "--dataalignment")
VALUED += ("--reportformat", "--units", "--configreport", "--options", "--select", "--interval")


@dataclass
class Disk:
    size: int
    uuid: str
    is_metadata_used: bool = False
    is_initialised: bool = False
    group: str = ""
    signature: str = ""
    block: int = 512

    @property
    def extents(self) -> int:
        return (self.size - 257 * MIB) // EXTENT


@dataclass
class Volume:
    extents: int
    tags: set[str]


@dataclass
class VolumeGroup:
    uuid: str
    tags: set[str]
    volumes: dict[str, Volume] = field(default_factory=dict)
    sequence: int = 1


class Refusal(Exception):
    pass


class SimulatedRoot:
    """A Root. `failing`: the next command that begins with these words fails, before or after it was done."""

    def __init__(self, folder: Path, disks: dict[str, int]) -> None:
        self.devices = folder / "dev"
        self._files = folder / "volumes"
        self.devices.mkdir()
        self._files.mkdir()
        self.disks = {name: Disk(size, f"pv-{number}") for number, (name, size) in enumerate(disks.items())}
        self.groups: dict[str, VolumeGroup] = {}
        self.open_volumes: set[str] = set()
        self.commands: list[tuple[str, ...]] = []
        self.read_only: set[str] = set()
        self.owned: list[str] = []
        self.zeroed: list[str] = []
        self.discarded: list[str] = []
        self.mounted: dict[str, str] = {}
        self.before: Callable[[tuple[str, ...]], None] = lambda words: None
        self.after: Callable[[tuple[str, ...]], None] = lambda words: None

    async def call(self, request: Any, *, seconds: float | None = None, told: Any = None) -> Any:
        match request:
            case RunLvm():
                checked(request)  # the helper would refuse it
                return self._lvm(request)
            case OwnDevice():
                self.owned.append(request.path)
                return None
            case ReadDevice():
                disk = self.disks[request.path]
                return DeviceFacts(request.path, disk.size, disk.block, disk.block, 0, 0, False, [])
            case ZeroDevice():
                self.zeroed.append(request.path)
            case DiscardDevice():
                self.discarded.append(request.path)
            case Mount():
                self.mounted[request.target] = request.source
            case Unmount():
                self.mounted.pop(request.target, None)
            case MakeMaster() | CheckMaster() | DropPartitions():
                pass
            case _:
                raise AssertionError(f"not simulated: {request}")
        return CommandResult(0)

    def _lvm(self, request: RunLvm) -> CommandResult:
        self.commands.append(request.arguments)
        command, *words = request.arguments
        options, named = parse(words)
        try:
            self.before(request.arguments)
            output = getattr(self, f"_{command}")(options, named, request.config)
        except Refusal as error:
            return CommandResult(5, b"", f"  {error}\n".encode())
        self.after(request.arguments)
        return CommandResult(0, (output or "").encode())

    def _fullreport(self, options: Any, named: list[str], config: Any) -> str:
        if missing := [name for name in named if name not in self.groups]:
            raise Refusal(f'Volume group "{missing[0]}" not found')
        return json.dumps({"report": [self._told(name) for name in named or self.groups]})

    def _pvs(self, options: Any, named: list[str], config: Any) -> str:
        rows = [self._row(name) for name, disk in self.disks.items() if disk.is_initialised]
        return json.dumps({"report": [{"pv": rows}]})

    def _pvcreate(self, options: Any, named: list[str], config: Any) -> None:
        for name in named:
            disk = self.disks.get(name)
            if disk is None:
                raise Refusal(f"No device found for {name}.")
            if disk.group and "-ff" not in options["flags"]:
                raise Refusal(f'Can\'t initialize physical volume "{name}" of volume group "{disk.group}" without -ff')
            if disk.signature and "-y" not in options["flags"]:
                raise Refusal(f"Aborted wiping of {disk.signature}.")
        if "--test" in options["flags"]:
            return
        for name in named:
            disk = self.disks[name]
            disk.is_initialised, disk.signature = True, ""
            disk.is_metadata_used = options["--metadataignore"] == ["n"]

    def _pvremove(self, options: Any, named: list[str], config: Any) -> None:
        for name in named:
            if self.disks[name].group:
                raise Refusal(f"PV {name} is used by VG")
            self.disks[name].is_initialised = False

    def _pvresize(self, options: Any, named: list[str], config: Any) -> None:
        self.groups[self.disks[named[0]].group].sequence += 1

    def _pvmove(self, options: Any, named: list[str], config: Any) -> None:
        if "--abort" not in options["flags"]:
            self.groups[self.disks[named[0]].group].sequence += 2

    def _vgcreate(self, options: Any, named: list[str], config: Any) -> None:
        name, *disks = named
        if name in self.groups:
            raise Refusal(f"A volume group called {name} already exists.")
        self.groups[name] = VolumeGroup(f"vg-{len(self.groups)}", set(options["--addtag"]))
        for disk in disks:
            self.disks[disk].group = name

    def _vgextend(self, options: Any, named: list[str], config: Any) -> None:
        for disk in named[1:]:
            self.disks[disk].group = named[0]
        self._group(named[0]).sequence += 1

    def _vgreduce(self, options: Any, named: list[str], config: Any) -> None:
        self.disks[named[1]].group = ""
        self._group(named[0]).sequence += 1

    def _vgremove(self, options: Any, named: list[str], config: Any) -> None:
        for volume in list(self._group(named[0]).volumes):
            self._lvremove(options, [f"{named[0]}/{volume}"], config)
        del self.groups[named[0]]
        for disk in self.disks.values():
            disk.group = "" if disk.group == named[0] else disk.group

    def _vgchange(self, options: Any, named: list[str], config: Any) -> None:
        group = self._group(named[0])
        group.tags = (group.tags - set(options["--deltag"])) | set(options["--addtag"])
        group.sequence += 1

    def _lvcreate(self, options: Any, named: list[str], config: Any) -> None:
        group, (volume,) = self._group(named[0]), options["--name"]
        extents = self._room(named[0], options, 0)
        if volume in group.volumes:
            raise Refusal(f'Logical Volume "{volume}" already exists in volume group "{named[0]}"')
        group.volumes[volume] = Volume(extents, set(options["--addtag"]))
        group.sequence += 1
        file = self._file(named[0], volume)
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as data:
            data.truncate(extents * EXTENT)
        self._activate(named[0], volume, config)

    def _lvextend(self, options: Any, named: list[str], config: Any) -> None:
        group, volume = self._volume(named[0])
        if self._room(group, options, volume.extents) <= volume.extents:
            raise Refusal(f"New size given not larger than existing size ({volume.extents} extents)")
        self._lvreduce(options, named, config)

    def _lvreduce(self, options: Any, named: list[str], config: Any) -> None:
        group, volume = self._volume(named[0])
        volume.extents = self._room(group, options, volume.extents)
        self.groups[group].sequence += 1
        os.truncate(self._file(*named[0].split("/")), volume.extents * EXTENT)

    def _lvremove(self, options: Any, named: list[str], config: Any) -> None:
        for full in named:
            group, _ = self._volume(full)
            self._deactivate(full)
            self._file(*full.split("/")).unlink()
            del self.groups[group].volumes[full.split("/")[1]]
            self.groups[group].sequence += 1
            self.after(("one", full))

    def _lvchange(self, options: Any, named: list[str], config: Any) -> None:
        in_use = self.open_volumes.intersection(named) if options["--activate"] == ["n"] else set()
        for full in named:
            if full in in_use:
                continue  # LVM goes on with the others
            group, volume = self._volume(full)
            if options["--activate"] == ["y"] or "--refresh" in options["flags"]:
                self._activate(*full.split("/"), config)
            elif options["--activate"] == ["n"]:
                self._deactivate(full)
            else:
                volume.tags = (volume.tags - set(options["--deltag"])) | set(options["--addtag"])
                self.groups[group].sequence += 1
        if in_use:
            raise Refusal(f"Logical volume {min(in_use)} in use.")

    def _activate(self, group: str, volume: str, config: Any) -> None:
        device = self.devices / group / volume
        device.parent.mkdir(exist_ok=True)
        device.unlink(missing_ok=True)
        os.link(self._file(group, volume), device)
        self.read_only.discard(f"{group}/{volume}")
        if f"{group}/{volume}" in config.get("activation/read_only_volume_list", []):
            self.read_only.add(f"{group}/{volume}")

    def _deactivate(self, full: str) -> None:
        if full in self.open_volumes:
            raise Refusal(f"Logical volume {full} in use.")
        (self.devices / full).unlink(missing_ok=True)

    def _room(self, group: str, options: Any, has: int) -> int:
        extents = -(-int(options["--size"][0].removesuffix("b")) // EXTENT)
        if extents - has > self._free(group):
            raise Refusal(f'Volume group "{group}" has insufficient free space: {extents} required.')
        return extents

    def _free(self, group: str) -> int:
        total = sum(disk.extents for disk in self.disks.values() if disk.group == group)
        return total - sum(volume.extents for volume in self.groups[group].volumes.values())

    def _group(self, name: str) -> VolumeGroup:
        if name not in self.groups:
            raise Refusal(f'Volume group "{name}" not found')
        return self.groups[name]

    def _volume(self, full: str) -> tuple[str, Volume]:
        group, volume = full.split("/")
        if volume not in self._group(group).volumes:
            raise Refusal(f'Failed to find logical volume "{full}"')
        return group, self.groups[group].volumes[volume]

    def _file(self, group: str, volume: str) -> Path:
        return self._files / group / volume

    def _row(self, name: str) -> dict[str, str]:
        disk = self.disks[name]
        told = {
            "pv_name": name, "pv_uuid": disk.uuid, "pv_size": disk.extents * EXTENT, "pv_free": 0,
            "dev_size": disk.size, "pe_start": 129 * MIB, "pv_pe_count": disk.extents, "pv_pe_alloc_count": 1,
            "pv_mda_count": 2, "pv_mda_used_count": 2 * disk.is_metadata_used, "pv_missing": "",
            "vg_name": disk.group, "vg_uuid": self.groups[disk.group].uuid if disk.group else "",
        }  # fmt: skip
        return {key: str(value) for key, value in told.items()}

    def _told(self, name: str) -> dict[str, Any]:
        group, free = self.groups[name], self._free(name)
        total = sum(disk.extents for disk in self.disks.values() if disk.group == name)
        told = {
            "vg_name": name, "vg_uuid": group.uuid, "vg_attr": "wz--n-", "vg_size": total * EXTENT,
            "vg_free": free * EXTENT, "vg_extent_size": EXTENT, "vg_extent_count": total, "vg_free_count": free,
            "vg_tags": ",".join(sorted(group.tags)), "vg_seqno": group.sequence, "vg_mda_size": 128 * MIB,
            "vg_mda_free": 64 * MIB, "vg_missing_pv_count": 0,
        }  # fmt: skip
        volumes = [
            {
                "lv_name": volume, "lv_uuid": f"lv-{volume}", "lv_size": str(it.extents * EXTENT),
                "lv_tags": ",".join(sorted(it.tags)), "lv_attr": "-wi-------",
            }
            for volume, it in group.volumes.items()
        ]  # fmt: skip
        disks = [self._row(disk) for disk, it in self.disks.items() if it.group == name]
        return {"vg": [{key: str(value) for key, value in told.items()}], "pv": disks, "lv": volumes}


def parse(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Values of each option, `flags`, and the other words."""
    options: dict[str, list[str]] = {"flags": [], **{option: [] for option in VALUED}}
    named: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in VALUED:
            options[word].append(next(rest))
        elif word.startswith("-"):
            options["flags"].append(word)
        else:
            named.append(word)
    return options, named
