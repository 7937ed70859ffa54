#!/usr/bin/python3
"""numa: memory from given nodes."""

import re

import hookxml

MODES = ("strict", "preferred", "interleave", "restrictive")
NODES = re.compile(r"\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*")


def place(domain, value):
    mode, _, nodes = value.partition(":")
    if mode not in MODES or not NODES.fullmatch(nodes):
        raise ValueError(f"one of {', '.join(MODES)}, a colon and nodes such as 0,2-3 are wanted")
    memory = hookxml.make(domain, "numatune", "memory")
    memory.setAttribute("mode", mode)
    memory.setAttribute("nodeset", nodes)


hookxml.with_property("numa", place)
