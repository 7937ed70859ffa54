"""How names on the wire become names in Python.

`vmId` → `vm_id`, `HBAInventory` → `hba_inventory`. A unit other than bytes and seconds is part of the name:
`downtime` in ms → `downtime_ms` (style: "any other unit is in the name").
"""

from __future__ import annotations

import keyword
import re

from ovis.schema.model import Field

UNIT_SUFFIXES = {
    "ds": "ds",
    "ms": "ms",
    "us": "us",
    "ns": "ns",
    "min": "minutes",
    "percent": "percent",
    "MHz": "mhz",
    "bytes/s": "bytes_per_second",
    "kB/s": "kb_per_second",
    "MB/s": "mb_per_second",
    "MiB/s": "mib_per_second",
    "KiB/s": "kib_per_second",
    "bit/s": "bits_per_second",
    "Mbit/s": "mbits_per_second",
}
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`sdUUID` → `sd_uuid`, `_X_tpmdata` → `x_tpmdata`, `from` → `from_`."""
    plural = re.sub(r"([A-Z]{2,})s(?=$|[A-Z_])", lambda m: m[1].capitalize() + "s", name)  # supportedENGINEs, guestIPs
    words = _WORD_STARTS.sub("_", plural).replace("-", "_").lower()
    words = re.sub(r"_+", "_", words).strip("_")
    return f"{words}_" if keyword.iskeyword(words) else words


def attribute(wire_name: str, field: Field) -> str:
    """The Python name of a field: its name with the unit where that is neither bytes nor seconds."""
    name, suffix = snake(wire_name), UNIT_SUFFIXES.get(field.unit)
    return name if suffix is None or name.endswith(suffix) else f"{name.rstrip('_')}_{suffix}"


def pascal(name: str) -> str:
    """`getStats` → `GetStats`, `add_image_ticket` → `AddImageTicket`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_\- ]+", name))


def arguments_class(method: str) -> str:
    """`VM.getStats` → `VMGetStatsArgs`, the class that holds the arguments of a verb."""
    class_name, verb_name = method.split(".")
    return f"{class_name}{pascal(verb_name)}Args"


def constant(value: str) -> str:
    """An enum value as a Python constant: `Powering up` → `POWERING_UP`, `0.10` → `V0_10`, `` → `EMPTY`."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", _WORD_STARTS.sub("_", value)).strip("_").upper()
    if not words:
        return "EMPTY"
    if words[0].isdigit():
        return f"V{words}"
    return f"{words}_" if words in {"NONE"} else words
