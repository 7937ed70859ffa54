#!/usr/bin/python3
"""allocate_net: the network with the fewest cards."""

import os

import hookxml

NET = "/sys/class/net"


def choose(card, value):
    ports = {}
    for text in value.split(","):
        name = hookxml.plain(text.strip(), "network")
        try:
            ports[name] = len(os.listdir(f"{NET}/{name}/brif"))
        except OSError:
            continue
    if not ports:
        raise ValueError("this host has none of these networks")
    card.setAttribute("type", "bridge")
    source = hookxml.make(card, "source")
    for name in ("network", "portgroup"):
        if source.hasAttribute(name):
            source.removeAttribute(name)
    source.setAttribute("bridge", min(ports, key=lambda name: (ports[name], name)))


hookxml.with_property("equivnets", choose)
