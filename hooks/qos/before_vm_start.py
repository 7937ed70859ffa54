#!/usr/bin/python3
"""qos: limits of bandwidth."""

import hookxml

SIDES = ("inbound", "outbound")


def limit(domain, value):
    for text in value.split(";"):
        *macs, side, rates = text.strip().split("/") if text.count("/") else ("", text)
        wanted = hookxml.mac(macs[0]) if macs else None
        if side not in SIDES or len(macs) > 1:
            raise ValueError(f"{text!r}: [MAC/]inbound/average,peak,burst is wanted, or outbound")
        found = [card for mac, card in hookxml.cards(domain) if wanted in (None, mac)]
        if wanted and not found:
            raise ValueError(f"the VM has no card {wanted}")
        for card in found:
            bound = hookxml.make(card, "bandwidth", side)
            for name, rate in zip(("average", "peak", "burst"), rates.split(","), strict=False):
                if not rate.isdecimal():
                    raise ValueError(f"{rate!r} is no whole number")
                bound.setAttribute(name, rate)


hookxml.with_property("qos", limit)
