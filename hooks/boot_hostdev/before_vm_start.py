#!/usr/bin/python3
"""boot_hostdev: a device of the host comes first when booting."""

import hookxml


def boot(domain, value):
    wanted = None if value == "first" else hookxml.pci_address(value)
    for device in candidates(domain):
        address = hookxml.find(device, "source", "address")
        if wanted is None or (address is not None and as_numbers(address_of(address)) == as_numbers(wanted)):
            put_first(domain, device)
            return
    raise ValueError("the VM has no such device of the host")


def candidates(domain):
    cards = [card for _, card in hookxml.cards(domain) if card.getAttribute("type") == "hostdev"]
    return hookxml.devices(domain, "hostdev") + cards


def address_of(address):
    return {name: address.getAttribute(name) or "0" for name in ("domain", "bus", "slot", "function")}


def as_numbers(address):
    return [int(address[name], 16) for name in ("domain", "bus", "slot", "function")]


def put_first(domain, device):
    by_kind = [boot.getAttribute("dev") for boot in hookxml.children(hookxml.make(domain, "os"), "boot")]
    hookxml.remove(hookxml.make(domain, "os"), "boot")  # libvirt takes one of the two ways only
    hookxml.remove(device, "boot")
    orders = []
    for other in hookxml.make(domain, "devices").childNodes:
        if other.nodeType == other.ELEMENT_NODE and (boot := hookxml.find(other, "boot")) is not None:
            orders.append((int(boot.getAttribute("order")), boot))
    for number, (_, boot) in enumerate(sorted(orders, key=lambda row: row[0]), start=2):
        boot.setAttribute("order", str(number))
    hookxml.add(device, "boot", order="1")
    if by_kind and not orders:
        put_behind(domain, by_kind)


def put_behind(domain, kinds):
    """What the description said by kind, as far as devices say of what kind they are."""
    number = 2
    for kind in kinds:
        for disk in hookxml.devices(domain, "disk") if kind in ("hd", "cdrom") else []:
            if disk.getAttribute("device") in (("cdrom",) if kind == "cdrom" else ("", "disk", "lun")):
                hookxml.add(disk, "boot", order=str(number))
                number += 1
        for _, card in hookxml.cards(domain) if kind == "network" else []:
            if hookxml.find(card, "boot") is None:
                hookxml.add(card, "boot", order=str(number))
                number += 1


hookxml.with_property("boot_hostdev", boot)
