#!/usr/bin/python3
"""extra_ipv4_addrs: check the addresses before anything is changed, or put them on the device, as the point says."""

import ipaddress
import os
import sys

import hooking


def device_of(network, attributes):
    if hooking.tobool(attributes.get("bridged", True)):
        return network
    lower = attributes.get("bonding") or attributes.get("nic") or network
    return f"{lower}.{attributes['vlan']}" if attributes.get("vlan") else lower


def main():
    is_after = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0]))).startswith("after_")
    for network, attributes in hooking.read_json().get("request", {}).get("networks", {}).items():
        text = (attributes.get("custom") or {}).get("ipv4_addrs", "")
        if not text or hooking.tobool(attributes.get("remove")):
            continue
        for word in text.split(","):
            try:
                address = ipaddress.IPv4Interface(word.strip())
            except ValueError as error:
                hooking.exit_hook(f"ipv4_addrs of {network}: {error}")
            if is_after:
                put(device_of(network, attributes), address.with_prefixlen)


def put(device, address):
    status, _, errors = hooking.execCmd(["ip", "address", "replace", address, "dev", device], sudo=True, raw=True)
    if status != 0:
        hooking.exit_hook(f"{address} on {device}: {errors.decode(errors='replace').strip()}", 1)


main()
