#!/usr/bin/python3
"""macbind: cards straight on devices of the host."""

import hookxml

MODES = ("bridge", "vepa", "private", "passthrough")


def bind(domain, value):
    known = dict(hookxml.cards(domain))
    for text in value.split(","):
        address, equals, place = text.strip().partition("=")
        device, _, mode = place.partition("/")
        card = known.get(hookxml.mac(address))
        if card is None:
            raise ValueError(f"the VM has no card {address}")
        if not equals or (mode and mode not in MODES):
            raise ValueError(f"{text!r}: MAC=device/mode is wanted, the mode one of {', '.join(MODES)}")
        card.setAttribute("type", "direct")
        hookxml.remove(card, "source", "virtualport", "filterref", "port")
        hookxml.add(card, "source", dev=hookxml.plain(device, "device"), mode=mode or "bridge")


hookxml.with_property("macbind", bind)
