#!/usr/bin/python3
"""extnet: a network of libvirt for a card."""

import hookxml


def connect(card, value):
    card.setAttribute("type", "network")
    hookxml.remove(card, "source", "virtualport")
    hookxml.add(card, "source", network=hookxml.plain(value, "network"))


hookxml.with_property("extnet", connect)
