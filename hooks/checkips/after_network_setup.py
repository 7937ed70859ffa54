#!/usr/bin/python3
"""checkips: note which addresses are to be asked."""

import ipaddress
import json
import os

import hooking

PLACE = os.path.join(os.environ.get("OVIS_LAUNCH_FOLDER", "/run/vdsm"), "checkips")
NAMES = {"checkipv4": ipaddress.IPv4Address, "checkipv6": ipaddress.IPv6Address}


def main():
    known = read()
    for network, attributes in hooking.read_json().get("request", {}).get("networks", {}).items():
        known.pop(network, None)
        custom = attributes.get("custom") or {}
        wanted = [str(kind(custom[name])) for name, kind in NAMES.items() if custom.get(name)]
        if wanted and not hooking.tobool(attributes.get("remove")):
            known[network] = wanted
    os.makedirs(os.path.dirname(PLACE), exist_ok=True)
    with open(PLACE + ".new", "w", encoding="utf-8") as file:
        json.dump(known, file)
    os.replace(PLACE + ".new", PLACE)


def read():
    try:
        with open(PLACE, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


main()
