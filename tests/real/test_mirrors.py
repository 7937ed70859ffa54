"""A card gets what passes through a mirrored bridge, in a network namespace of its own."""

import subprocess
import sys

SETUP = """
set -e
mount -t sysfs none /sys
ip link add red type bridge forward_delay 0
for n in 1 2; do
  ip link add port$n type veth peer name end$n
  ip link set port$n master red up; ip link set end$n up
done
ip link set red up
exec "$0" -c "$1"
"""
SCRIPT = """
import asyncio, fcntl, os, pathlib, select, socket, struct, subprocess, sys, time
sys.path[:0] = ["tests/node/privileged"]
import programs
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.mirrors import MirrorNetworks
from ovis.node.privileged.rules import Rules

def card(name):  # as QEMU has it: a tap without extra header
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    return fd

def sees(fd, what, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if select.select([fd], [], [], 0.05)[0] and what in os.read(fd, 4096):
            return True
    return False

def send(text):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("end1", 0))
        s.send(bytes.fromhex("020000000002 020000000001 88b5") + text.ljust(60))

def state():
    told = subprocess.run("tc qdisc show dev red; ip -o link show red", shell=True, capture_output=True, text=True)
    return "clsact" in told.stdout, "PROMISC" in told.stdout

async def main():
    one, two = card("vnet0"), card("vnet1")
    rules = Rules(repository=pathlib.PurePosixPath("/nowhere"), user=0, group=0)
    async with programs.inside(rules) as helper:
        async def mirror(**mirrors):
            return (await helper.call(MirrorNetworks(mirrors=mirrors))).errors.decode()
        assert await mirror(red=["vnet0", "vnet1"]) == ""
        assert await mirror(red=["vnet0", "vnet1"]) == ""
        send(b"first")
        assert sees(one, b"first", 30) and sees(two, b"first", 30)
        assert await mirror(red=["vnet1"]) == ""
        send(b"second")
        assert sees(two, b"second", 30) and not sees(one, b"second", 0.5)
        assert await mirror(red=["vnet1", "vnet7"], blue=["vnet1"]) == "blue, vnet7"
        os.close(two)  # a VM that ended
        assert await mirror() == ""
        assert state() == (False, False)
        try:
            await mirror(red=["end2"])
        except Refused:
            return
        raise AssertionError("not a card of a VM")

asyncio.run(main())
print("good")
"""


def test_copies_begin_and_end_with_the_mirror() -> None:
    command = ["unshare", "--net", "--mount", "sh", "-c", SETUP, sys.executable, SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr
