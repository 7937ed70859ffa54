#!/usr/bin/python3
"""scratchpad: empty disks that go with the VM. Makes or removes them, as the point says."""

import contextlib
import os
import re
import sys

import hooking
import hookxml

SIZE = re.compile(r"(\d+)([KMGT]?)B?", re.IGNORECASE)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def pads(value):
    for text in value.split(":"):
        size, _, path = text.strip().partition(",")
        found = SIZE.fullmatch(size)
        if found is None or not path.startswith("/"):
            raise ValueError(f"{text!r}: a size and an absolute path are wanted, such as 20G,/var/scratch/one")
        # with the VM's id: nothing else is ever overwritten or removed
        yield int(found[1]) * UNITS[found[2].upper()], f"{path}.{hookxml.plain(os.environ['vmId'])}"


def make(domain, value):
    for size, path in pads(value):
        if not os.path.exists(path):
            with open(path, "xb") as file:
                os.fchmod(file.fileno(), 0o660)
                file.truncate(size)
        hookxml.add_disk(domain, "file", path)


def throw_away(value):
    for _, path in pads(value):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


point = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0])))
if point.startswith("after_"):
    if os.environ.get("scratchpad"):
        try:
            throw_away(os.environ["scratchpad"].strip())
        except (OSError, ValueError) as error:
            hooking.exit_hook(str(error))
else:
    hookxml.with_property("scratchpad", make)
