#!/usr/bin/python3
"""smbios: entries of the firmware tables."""

import hookxml

TABLES = ("bios", "system", "baseBoard", "chassis")


def fill(domain, value):
    info = next(
        (found for found in hookxml.children(domain, "sysinfo") if found.getAttribute("type") == "smbios"), None
    )
    if info is None:
        info = hookxml.add(domain, "sysinfo", type="smbios")
    for table, entries in hookxml.mapping(value).items():
        if table not in TABLES or not isinstance(entries, dict):
            raise ValueError(f"{table!r} is none of {', '.join(TABLES)}, or not an object")
        holder = hookxml.make(info, table)
        for name, text in entries.items():
            put(holder, name, str(text))
    hookxml.make(domain, "os", "smbios").setAttribute("mode", "sysinfo")


def put(table, name, text):
    for entry in hookxml.children(table, "entry"):
        if entry.getAttribute("name") == name:
            table.removeChild(entry)
    hookxml.add(table, "entry", text, name=name)


hookxml.with_property("smbios", fill)
