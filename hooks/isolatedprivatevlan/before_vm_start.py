#!/usr/bin/python3
"""isolatedprivatevlan: cards that reach the uplink only."""

import hookxml


def isolate(domain, _value):
    for _mac, card in hookxml.cards(domain):
        if card.getAttribute("type") in ("bridge", "network"):
            hookxml.make(card, "port").setAttribute("isolated", "yes")


hookxml.with_property("isolatedprivatevlan", isolate)
