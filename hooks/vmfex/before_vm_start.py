#!/usr/bin/python3
"""vmfex: port profiles of the fabric for cards."""

import hookxml

POOL = "direct-pool"


def connect(domain, value):
    if domain.tagName == "interface":
        put(domain, value)
        return
    profiles = {hookxml.mac(mac): profile for mac, profile in hookxml.mapping(value).items()}
    for mac, card in hookxml.cards(domain):
        if mac in profiles:
            put(card, str(profiles.pop(mac)))
    if profiles:
        raise ValueError(f"the VM has no card {', '.join(profiles)}")


def put(card, profile):
    card.setAttribute("type", "network")
    hookxml.remove(card, "source", "virtualport", "filterref")
    hookxml.add(card, "source", network=POOL)
    hookxml.add(hookxml.add(card, "virtualport", type="802.1Qbh"), "parameters", profileid=hookxml.plain(profile))


hookxml.with_property("vmfex", connect)
