#!/usr/bin/python3
"""fileinject: a file into the first disk."""

import hooking
import hookxml

FORMATS = {"raw", "qcow2"}


def inject(domain, value):
    path, colon, content = value.partition(":")
    if not colon or not path.startswith("/"):
        raise ValueError("/path/in/guest:content is wanted")
    disk = first_disk(domain)
    source = hookxml.attribute(disk, "file", "source") or hookxml.attribute(disk, "dev", "source")
    form = hookxml.attribute(disk, "type", "driver") or "raw"
    if not source or form not in FORMATS:
        raise ValueError(f"the first disk is no file or device of format {' or '.join(sorted(FORMATS))}")
    command = ["guestfish", "--rw", f"--format={form}", "-a", source, "-i", "upload", "-", path]
    status, _, errors = hooking.execCmd(command, data=content, raw=True)
    if status != 0:
        raise ValueError(f"guestfish did not write it: {errors.decode(errors='replace').strip()}")


def first_disk(domain):
    for disk in hookxml.devices(domain, "disk"):
        if disk.getAttribute("device") in ("", "disk"):
            return disk
    raise ValueError("the VM has no disk")


hookxml.with_property("fileinject", inject)
