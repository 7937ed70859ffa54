#!/usr/bin/python3
"""smartcard: the reader of the SPICE client."""

import hooking
import hookxml


def give(domain, value):
    if hooking.tobool(value) and not hookxml.devices(domain, "smartcard"):
        hookxml.add(hookxml.make(domain, "devices"), "smartcard", mode="passthrough", type="spicevmc")


hookxml.with_property("smartcard", give)
