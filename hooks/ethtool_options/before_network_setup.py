#!/usr/bin/python3
"""ethtool_options: check what is wanted before anything is changed, or set it afterwards, as the point says."""

import os
import shlex
import sys

import hooking

SETS = {
    "-K", "-k", "-C", "-G", "-A", "-s", "-L", "-N", "-X", "--features", "--offload", "--coalesce", "--set-ring",
    "--pause", "--change", "--set-channels", "--config-nfc", "--rxfh", "--set-eee", "--set-priv-flags",
    "--set-rxfh-indir", "--set-fec",
}  # fmt: skip


def commands(request):
    """(network, words of ethtool)"""
    for network, attributes in request.get("networks", {}).items():
        text = (attributes.get("custom") or {}).get("ethtool_opts", "")
        if hooking.tobool(attributes.get("remove")):
            continue
        for command in text.split(";"):
            if words := shlex.split(command):
                yield network, words


def cards(request, network):
    attributes = request["networks"][network]
    found = {attributes[name] for name in ("nic", "bonding") if attributes.get(name)}
    bond = request.get("bondings", {}).get(attributes.get("bonding"), {})
    return found | set(bond.get("nics", []))


def main():
    request = hooking.read_json().get("request", {})
    is_after = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0]))).startswith("after_")
    for network, words in commands(request):
        if len(words) < 2 or words[0] not in SETS:
            hooking.exit_hook(
                f"ethtool_opts of {network}: {' '.join(words)}: an option that sets something must come first"
            )
        if words[1] not in cards(request, network):
            hooking.exit_hook(f"ethtool_opts of {network}: {words[1]} is no card of this network")
        if is_after:
            status, _, errors = hooking.execCmd(["ethtool", *words], sudo=True, raw=True)
            if status != 0:
                hooking.exit_hook(f"ethtool {' '.join(words)}: {errors.decode(errors='replace').strip()}", 1)


main()
