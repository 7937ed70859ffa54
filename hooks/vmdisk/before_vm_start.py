#!/usr/bin/python3
"""vmdisk: images of this host as further disks."""

import hookxml

FORMATS = ("raw", "qcow2")


def add_disks(domain, value):
    for text in value.split(","):
        path, _, form = text.strip().partition(":")
        if form and form not in FORMATS:
            raise ValueError(f"the format {form!r} is none of {', '.join(FORMATS)}")
        hookxml.add_disk(domain, "file", path, form=form or "raw")


hookxml.with_property("vmdisk", add_disks)
