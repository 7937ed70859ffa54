#!/usr/bin/python3
"""vhostmd: the disk with figures of the host."""

import os

import hooking
import hookxml

USUAL = "/dev/shm/vhostmd0"


def show(domain, value):
    path = value if value.startswith("/") else USUAL
    if path == USUAL and not hooking.tobool(value):
        return
    if not os.path.exists(path):
        raise ValueError(f"{path} is not there: does the service vhostmd run?")
    disk = hookxml.add_disk(domain, "file", path)
    hookxml.add(disk, "readonly")


hookxml.with_property("vhostmd" if os.environ.get("vhostmd") else "sap_agent", show)
