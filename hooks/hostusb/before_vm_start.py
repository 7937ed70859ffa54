#!/usr/bin/python3
"""hostusb: USB devices of the host by vendor and product."""

import re

import hookxml

DEVICE = re.compile(r"(?:0x)?([0-9a-f]{1,4}):(?:0x)?([0-9a-f]{1,4})", re.IGNORECASE)


def give(domain, value):
    for text in value.split("&"):
        found = DEVICE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no vendor:product such as 0x1d6b:0x0002")
        device = hookxml.add(hookxml.make(domain, "devices"), "hostdev", mode="subsystem", type="usb")
        source = hookxml.add(device, "source", startupPolicy="mandatory")
        for name, number in zip(("vendor", "product"), found.groups(), strict=True):
            hookxml.add(source, name, id=f"0x{int(number, 16):04x}")


hookxml.with_property("hostusb", give)
