#!/usr/bin/python3
"""httpsisoboot: a CD from a web server."""

from urllib.parse import urlsplit

import hookxml

PORTS = {"http": "80", "https": "443"}


def insert(domain, value):
    url = urlsplit(value)
    if url.scheme not in PORTS or not url.hostname or url.username:
        raise ValueError("an http or https URL without a user is wanted")
    drive = cd_drive(domain)
    drive.setAttribute("type", "network")
    hookxml.remove(drive, "source", "driver", "boot")
    hookxml.add(drive, "driver", name="qemu", type="raw")
    source = hookxml.add(drive, "source", protocol=url.scheme, name=url.path.lstrip("/"))
    if url.query:
        source.setAttribute("query", url.query)
    hookxml.add(source, "host", name=url.hostname, port=str(url.port or PORTS[url.scheme]))
    come_first(domain, drive)


def cd_drive(domain):
    for disk in hookxml.devices(domain, "disk"):
        if disk.getAttribute("device") == "cdrom":
            return disk
    drive = hookxml.add(hookxml.make(domain, "devices"), "disk", type="network", device="cdrom")
    hookxml.add(drive, "target", dev=hookxml.free_target(domain, "sd"), bus="sata")
    hookxml.add(drive, "readonly")
    return drive


def come_first(domain, drive):
    orders = [
        node
        for node in hookxml.make(domain, "devices").childNodes
        if node.nodeType == node.ELEMENT_NODE and hookxml.find(node, "boot") is not None
    ]
    if not orders:
        system = hookxml.make(domain, "os")
        kinds = [boot.getAttribute("dev") for boot in hookxml.children(system, "boot")]
        hookxml.remove(system, "boot")
        for kind in ["cdrom", *(kind for kind in kinds or ["hd"] if kind != "cdrom")]:
            hookxml.add(system, "boot", dev=kind)
        return
    for number, node in enumerate(
        sorted(orders, key=lambda one: int(hookxml.attribute(one, "order", "boot"))), start=2
    ):
        hookxml.find(node, "boot").setAttribute("order", str(number))
    hookxml.add(drive, "boot", order="1")


hookxml.with_property("httpsisoboot", insert)
