#!/usr/bin/python3
"""directlun: whole disks of the host, named by their multipath id."""

import hookxml

OPTIONS = {"readonly", "shareable", "scsi"}


def add_luns(domain, value):
    for text in value.split(","):
        name, *options = text.strip().split(":")
        if unknown := set(options) - OPTIONS:
            raise ValueError(f"{', '.join(sorted(unknown))} is none of {', '.join(sorted(OPTIONS))}")
        path = f"/dev/mapper/{hookxml.plain(name, 'id of a LUN')}"
        disk = hookxml.add_disk(domain, "block", path, bus="scsi" if "scsi" in options else "virtio")
        hookxml.find(disk, "driver").setAttribute("cache", "none")
        for option in options:
            if option != "scsi":
                hookxml.add(disk, option)


hookxml.with_property("directlun", add_luns)
