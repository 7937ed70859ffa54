#!/usr/bin/python3
"""floppy: an image in the VM's drive."""

import hookxml


def insert(domain, value):
    for disk in hookxml.devices(domain, "disk"):
        if disk.getAttribute("device") == "floppy":
            disk.setAttribute("type", "file")
            source = hookxml.make(disk, "source")
            source.setAttribute("file", value)
            return
    hookxml.add_disk(domain, "file", value, device="floppy", bus="fdc")


hookxml.with_property("floppy", insert)
