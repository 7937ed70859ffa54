"""The units a number may have inside the code, what each means, and the words that give a missing one away."""

from __future__ import annotations

import re

from ovis.schema import naming

UNITS = {
    "bytes": "bytes",
    "s": "seconds",
    "count": "a plain number of things, although its name or text speaks of sizes or times",
    "percent": "hundredths; 100 is all of it",
    "min": "minutes",
    "ds": "tenths of a second",
    "ms": "thousandths of a second",
    "us": "millionths of a second",
    "ns": "billionths of a second",
    "MHz": "millions of cycles a second",
    "pixels": "picture elements",
    "bytes/s": "bytes a second",
    "kB/s": "1,000 bytes a second",
    "MB/s": "1,000,000 bytes a second",
    "KiB/s": "1,024 bytes a second",
    "MiB/s": "1,048,576 bytes a second",
    "bit/s": "bits a second",
    "Mbit/s": "1,000,000 bits a second",
    "requests/s": "requests a second",
    "faults/s": "page faults a second",
}

_MEASURING_NAMES = {
    *("size", "capacity", "memory", "mem", "bytes", "kib", "mib", "gib", "kb", "mb"),
    *("timeout", "duration", "delay", "interval", "period", "seconds", "downtime", "uptime", "latency", "elapsed"),
}
_MEASURING_TEXT = re.compile(
    r"\b(in|of|number of|amount of|how many) (bytes|kilobytes|megabytes|KiB|MiB|GiB|seconds|milliseconds|minutes)\b",
    re.IGNORECASE,
)


def sign_of_measure(name: str, doc: str) -> str | None:
    """The word in a field's name or text that shows it to be a size or a time, or None."""
    for word in naming.snake(name).split("_"):
        if word in _MEASURING_NAMES:
            return word
    found = _MEASURING_TEXT.search(doc)
    return found[0] if found else None
