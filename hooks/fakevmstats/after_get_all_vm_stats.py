#!/usr/bin/python3
"""fakevmstats: figures from a hat."""

import random

import hooking

PERCENT = ("cpuUser", "cpuSys", "memUsage")


def fake(stats):
    user = random.uniform(0, 80)
    figures = {"cpuUser": user, "cpuSys": random.uniform(0, 100 - user), "memUsage": random.randint(5, 95)}
    for name in PERCENT:
        if name in stats:
            stats[name] = like(stats[name], figures[name])
    for card in (stats.get("network") or {}).values():
        for name in ("rxRate", "txRate"):
            if name in card:
                card[name] = like(card[name], random.uniform(0, 100))


def like(former, value):
    """In the way the agent writes it: text, whole number or fraction."""
    if isinstance(former, str):
        return f"{value:.2f}" if "." in former else str(round(value))
    return round(value, 2) if isinstance(former, float) else round(value)


found = hooking.read_json()
for vm in found:
    fake(vm)
hooking.write_json(found)
