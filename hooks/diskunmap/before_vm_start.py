#!/usr/bin/python3
"""diskunmap: pass discards on to the storage."""

import hooking
import hookxml


def unmap(domain, value):
    if not hooking.tobool(value):
        return
    for disk in [domain] if domain.tagName == "disk" else hookxml.devices(domain, "disk"):
        if disk.getAttribute("device") in ("", "disk", "lun") and hookxml.find(disk, "readonly") is None:
            hookxml.make(disk, "driver").setAttribute("discard", "unmap")


hookxml.with_property("enable_diskunmap", unmap)
