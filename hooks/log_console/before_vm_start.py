#!/usr/bin/python3
"""log_console: the serial console into a file as well."""

import hooking
import hookxml

FOLDER = "/var/log/libvirt/qemu"


def keep(domain, value):
    if not value.startswith("/") and not hooking.tobool(value):
        return
    name = hookxml.find(domain, "name").firstChild.data
    path = value if value.startswith("/") else f"{FOLDER}/{name}-console.log"
    ports = hookxml.devices(domain, "serial") or hookxml.devices(domain, "console")
    if not ports:
        ports = [hookxml.add(hookxml.make(domain, "devices"), "serial", type="pty")]
    hookxml.remove(ports[0], "log")
    hookxml.add(ports[0], "log", file=path, append="on")


hookxml.with_property("log_console", keep)
