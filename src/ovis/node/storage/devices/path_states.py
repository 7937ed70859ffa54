"""Which paths multipathd uses, from its report.

    multipathd show maps json
    {"maps": [{"path_groups": [{"paths": [{"dev": "sda", "dm_st": "active", "chk_st": "ready"}, ...]}]}, ...]}

Source: multipathd(8). A path counts as active when device mapper has not failed it and its last check did not either.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from ovis.node.storage.errors import StorageError

_GOOD_CHECKS = frozenset({"ready", "ghost", "delayed"})


class UnreadableMaps(StorageError):
    wire_name = "BlockDeviceActionError"

    def __init__(self, problem: str) -> None:
        super().__init__(f"what multipathd says of its maps cannot be read: {problem}")


class _Path(Struct):
    dev: str
    dm_st: str = ""
    chk_st: str = ""


class _Group(Struct):
    paths: list[_Path] = []


class _Map(Struct):
    path_groups: list[_Group] = []


class _Report(Struct):
    maps: list[_Map] = []


def read(report: bytes) -> Mapping[str, bool]:
    """Disk (sda) -> whether it is in use. Raises UnreadableMaps."""
    try:
        told = msgspec.json.decode(report, type=_Report)
    except msgspec.MsgspecError as error:
        raise UnreadableMaps(str(error)) from error
    return {
        path.dev: path.dm_st == "active" and path.chk_st in _GOOD_CHECKS
        for found in told.maps
        for group in found.path_groups
        for path in group.paths
    }
