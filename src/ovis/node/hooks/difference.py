"""What a script changed in a value of JSON, and the same change made in another one.

    {key: change}   in an object: a change is such a mapping again, `Put(value)`, or `GONE`

Anything but objects is changed as a whole. A list of VM statistics counts as an object, its keys the VMs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

VM = "vmId"


class Removal(Enum):
    GONE = "gone"


@dataclass(frozen=True)
class Put:
    value: Any


Changes = dict[str, "Changes | Put | Removal"]


def difference(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    found: Changes = dict.fromkeys(before.keys() - after.keys(), Removal.GONE)
    for key, value in after.items():
        former = before.get(key)
        if isinstance(value, dict) and isinstance(former, dict):
            if inner := difference(former, value):
                found[key] = inner
        elif key not in before or value != former or type(value) is not type(former):
            found[key] = Put(value)
    return found


def patched(value: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """A new object. What a change is about and is no longer there stays away, unless a script put it there."""
    made = dict(value)
    for key, change in changes.items():
        match change:
            case Put(wanted):
                made[key] = wanted
            case Removal.GONE:
                made.pop(key, None)
            case dict() if isinstance(made.get(key), dict):
                made[key] = patched(made[key], change)
    return made


def keyed(value: Any) -> dict[str, Any]:
    """As an object. Raises TypeError for what statistics never are."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(row[VM]): row for row in value}
    raise TypeError(f"{type(value).__name__} instead of an object or a list of VMs")


def unkeyed(former: Any, value: dict[str, Any]) -> Any:
    """In the form of `former`: VMs that are not there any more do not come back."""
    if isinstance(former, dict):
        return value
    return [value[str(row[VM])] for row in former if str(row[VM]) in value]
