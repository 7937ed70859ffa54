#!/usr/bin/python3
"""log_firmware: the debug port of the firmware into a file."""

import hooking
import hookxml

FOLDER = "/var/log/libvirt/qemu"
PORT = "0x402"


def keep(domain, value):
    if not value.startswith("/") and not hooking.tobool(value):
        return
    name = hookxml.find(domain, "name").firstChild.data
    path = value if value.startswith("/") else f"{FOLDER}/{name}-firmware.log"
    port = hookxml.add(hookxml.make(domain, "devices"), "serial", type="file")
    hookxml.add(port, "source", path=path)
    hookxml.add(hookxml.add(port, "target", type="isa-debug"), "model", name="isa-debugcon")
    hookxml.add(port, "address", type="isa", iobase=PORT)


hookxml.with_property("log_firmware", keep)
