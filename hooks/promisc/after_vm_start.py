#!/usr/bin/python3
"""promisc: mirror bridges to the VM's first card, or take the mirrors away, as the point says."""

import os
import sys

import hooking
import hookxml

TC = "tc"
SIDES = {"in": ["ingress"], "out": ["root", "handle", "1:", "prio"]}
PARENTS = {"in": "ffff:", "out": "1:"}


def tc(*words, may_fail=False):
    status, _, errors = hooking.execCmd([TC, *words], sudo=True, raw=True)
    if status != 0 and not may_fail:
        hooking.exit_hook(f"tc {' '.join(words)}: {errors.decode(errors='replace').strip()}")


def wanted(value):
    for text in value.split(","):
        bridge, _, side = text.strip().partition(":")
        if side not in SIDES:
            hooking.exit_hook(f"promisc={value}: bridge:in or bridge:out is wanted")
        yield hookxml.plain(bridge, "bridge"), side


def mirror(bridge, side, target):
    tc("qdisc", "add", "dev", bridge, *SIDES[side], may_fail=True)  # another VM may have it already
    tc(
        "filter",
        "add",
        "dev",
        bridge,
        "parent",
        PARENTS[side],
        "prio",
        priority(target),
        "matchall",
        "action",
        "mirred",
        "egress",
        "mirror",
        "dev",
        target,
    )


def forget(bridge, side, target):
    tc("filter", "del", "dev", bridge, "parent", PARENTS[side], "prio", priority(target), may_fail=True)


def priority(target):
    """The same number for the same card, so that one VM's mirrors can be found again: 1000 to 60999."""
    number = 0
    for letter in target.encode():
        number = (number * 31 + letter) % 60000
    return str(1000 + number)


def main():
    value = os.environ.get("promisc", "").strip()
    if not value:
        return
    targets = [
        hookxml.attribute(card, "dev", "target") for _, card in hookxml.cards(hooking.read_domxml().documentElement)
    ]
    if not targets or not targets[0]:
        hooking.exit_hook("the VM has no card on this host to mirror to")
    is_start = os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0]))).startswith("after_")
    for bridge, side in wanted(value):
        (mirror if is_start else forget)(bridge, side, targets[0])


main()
