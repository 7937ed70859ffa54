#!/usr/bin/python3
"""sriov: virtual functions as cards of the VM."""

import os

import hookxml

NET = "/sys/class/net"


def give(domain, value):
    for text in value.split(","):
        name, _, address = text.strip().partition("@")
        card = hookxml.add(hookxml.make(domain, "devices"), "interface", type="hostdev", managed="yes")
        if address:
            hookxml.add(card, "mac", address=hookxml.mac(address))
        hookxml.add(hookxml.add(card, "source"), "address", type="pci", **pci_of(name))


def pci_of(name):
    if hookxml.PCI.fullmatch(name):
        return hookxml.pci_address(name)
    device = os.path.realpath(f"{NET}/{hookxml.plain(name, 'name of a network device')}/device")
    if not hookxml.PCI.fullmatch(os.path.basename(device)):
        raise ValueError(f"{name} is no network device with a PCI function on this host")
    return hookxml.pci_address(os.path.basename(device))


hookxml.with_property("sriov", give)
