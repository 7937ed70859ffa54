"""Sizes, times and rates between text and numbers."""

from __future__ import annotations

import re
import time

SIZES = {
    "B": 1,
    "K": 1 << 10, "KiB": 1 << 10, "kB": 10**3, "KB": 10**3,
    "M": 1 << 20, "MiB": 1 << 20, "MB": 10**6,
    "G": 1 << 30, "GiB": 1 << 30, "GB": 10**9,
    "T": 1 << 40, "TiB": 1 << 40, "TB": 10**12,
}  # fmt: skip
"""Bytes by suffix; a lone letter is binary, as in qemu-img and LVM."""

TIMES = {
    "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9,
    "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9,
}  # fmt: skip
"""Nanoseconds by suffix, so that whole numbers stay whole."""

_AMOUNT = re.compile(r"\s*([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%][A-Za-z/%]*)?\s*")
_SIZE_UNIT = {"bytes": 1, "kB": 10**3, "MB": 10**6, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

EPOCH_SECONDS = 10**9
"""No time span is 31 years: from here on seconds are counted since 1970, as creation and boot times are."""


class BadAmount(ValueError):
    """The text is no number of the wanted kind; the message says what was expected."""


def amount(text: str, *, unit: str, scale: int) -> int | float:
    """The number that travels for `text`, where it travels in `scale` times `unit`.

    A number without suffix is taken as it is. `1GiB` with unit bytes and scale 1 MiB is 1024. Raises BadAmount.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise BadAmount(f"expected {describe(unit, scale)}")
    number: int | float = float(found[1]) if re.search(r"[.eE]", found[1]) else int(found[1])
    suffix = found[2]
    if not suffix or suffix == unit or (suffix == "%" and unit == "percent"):
        return number
    have, want = _factors(suffix, unit, scale)
    if not have or not want:
        raise BadAmount(f"expected {describe(unit, scale)}")
    product = number * have
    if isinstance(product, int) and product % want == 0:
        return product // want
    return product / want


def _factors(suffix: str, unit: str, scale: int) -> tuple[int, int]:
    """What one `suffix` and one travelling unit are worth in bytes or nanoseconds; 0 for what does not fit together."""
    per_second = unit.endswith("/s")
    size = _SIZE_UNIT.get(unit.removesuffix("/s"), 0) * scale
    if size:
        return SIZES.get(suffix.removesuffix("/s") if per_second else suffix, 0), size
    return TIMES.get(suffix, 0), TIMES.get(unit, 0)


def describe(unit: str, scale: int) -> str:
    """What a value of this unit looks like, for messages: `a size in MiB such as 512 or 512MiB`."""
    travels = travelling_unit(unit, scale)
    if unit in _SIZE_UNIT:
        return f"a size in {travels}, such as 4096 or 512MiB"
    if unit.endswith("/s") and unit.removesuffix("/s") in _SIZE_UNIT:
        return f"a rate in {travels}, such as 100 or 100MiB/s"
    if unit in TIMES:
        return f"a time in {travels}, such as 90{travels} or 2m"
    return f"a number in {travels}" if unit not in {"", "count"} else "a number"


def travelling_unit(unit: str, scale: int) -> str:
    """The unit of a plain number on the command line and in JSON: `MiB` for bytes that travel in MiB."""
    if scale == 1:
        return unit
    name = next(name for name, size in SIZES.items() if size == scale and name.endswith("iB"))
    return unit.replace("bytes", name)


def human_size(count: float) -> str:
    """`512 MiB`, `1.5 GiB`, `12 B`."""
    size, names = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while abs(size) >= 1024 and len(names) > 1:
        size /= 1024
        names.pop(0)
    digits = 0 if size == int(size) or abs(size) >= 100 else 1
    return f"{size:.{digits}f} {names[0]}"


def human_time(seconds: float) -> str:
    """`45 s`, `1 m 30 s`, `2 h 5 m`, `3 d 4 h`: the two greatest parts."""
    if abs(seconds) < 60:
        return f"{seconds:g} s" if seconds == int(seconds) else f"{seconds:.3g} s"
    sign, rest = "-" if seconds < 0 else "", int(abs(seconds))
    parts: list[tuple[int, str]] = []
    for name, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if rest >= length or parts:
            parts.append((rest // length, name))
            rest %= length
    return sign + " ".join(f"{count} {name}" for count, name in parts[:2] if count)


def human_instant(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def human(value: float, unit: str) -> str:
    """A clean number with its unit, for people."""
    if unit == "count":
        return str(value)
    if unit == "bytes":
        return human_size(value)
    if unit == "bytes/s":
        return f"{human_size(value)}/s"
    if unit == "s":
        return human_instant(value) if value >= EPOCH_SECONDS else human_time(value)
    number = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    if unit == "percent":
        return f"{number} %"
    return f"{number} {unit}" if unit else number
