#!/usr/bin/python3
"""hugepages: the guest's memory in huge pages."""

import hookxml


def back(domain, value):
    backing = hookxml.make(domain, "memoryBacking")
    hookxml.remove(backing, "hugepages")
    pages = hookxml.add(backing, "hugepages")
    if value not in ("0", "default"):
        if not value.isdecimal():
            raise ValueError("a size in KiB is wanted")
        hookxml.add(pages, "page", size=value, unit="KiB")


hookxml.with_property("hugepages", back)
