#!/usr/bin/python3
"""checkips: the state of networks whose address does not answer."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import hooking

PLACE = os.path.join(os.environ.get("OVIS_LAUNCH_FOLDER", "/run/vdsm"), "checkips")


def answers(address):
    done = subprocess.run(
        ["ping", "-n", "-c", "1", "-W", "2", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10
    )
    return done.returncode == 0


def main():
    try:
        with open(PLACE, encoding="utf-8") as file:
            wanted = json.load(file)
    except (OSError, ValueError):
        return
    if not wanted:
        return
    stats = hooking.read_json()
    devices = stats.get("network", {})
    with ThreadPoolExecutor(16) as threads:
        states = {name: threads.map(answers, addresses) for name, addresses in wanted.items()}
        for network, found in states.items():
            if not all(found) and network in devices:
                devices[network]["state"] = "down"
    hooking.write_json(stats)


main()
