#!/usr/bin/python3
"""checkimages: no start on damaged images."""

import os
import subprocess
import time

import hooking
import hookxml

USUAL = 30.0
DAMAGED, LEAKS = 2, 3  # exit states of qemu-img check


def check(path, seconds):
    command = ["qemu-img", "check", "-f", "qcow2", path]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    except subprocess.TimeoutExpired:
        hooking.log(f"{path} was not checked within {seconds:.0f} s")
        return
    if done.returncode == LEAKS:
        hooking.log(f"{path} has leaked clusters, which is harmless")
    elif done.returncode != 0:
        text = done.stdout.decode(errors="replace").strip().splitlines()
        what = "is damaged" if done.returncode == DAMAGED else "cannot be checked"
        hooking.exit_hook(f"{path} {what}: {' / '.join(text[-2:])}")


def main():
    value = os.environ.get("checkimages", "").strip()
    seconds = float(value) if value.replace(".", "", 1).isdecimal() else USUAL * hooking.tobool(value)
    until = time.monotonic() + seconds
    if not seconds:
        return
    for disk in hookxml.devices(hooking.read_domxml().documentElement, "disk"):
        path = hookxml.attribute(disk, "file", "source") or hookxml.attribute(disk, "dev", "source")
        if path and hookxml.attribute(disk, "type", "driver") == "qcow2":
            check(path, max(until - time.monotonic(), 0.1))


main()
