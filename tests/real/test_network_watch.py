"""Changes of a real kernel's network, in a namespace of its own."""

import subprocess
import sys

SCRIPT = """
import asyncio, subprocess
from ovis.node.host import network_watch

def ip(line):
    subprocess.run(["ip", *line.split()], check=True)

async def main():
    ip("link add eth0 type veth peer name far")
    ip("link set eth0 up")
    told = asyncio.Event()
    watching = asyncio.create_task(network_watch.watch(told.set, delay=0.05))
    await asyncio.sleep(0.5)

    async def after(*lines, tells=True):
        told.clear()
        for line in lines:
            ip(line)
        try:
            async with asyncio.timeout(30 if tells else 1):
                await told.wait()
            assert tells, lines
        except TimeoutError:
            assert not tells, lines

    await after("link set far up")                                                   # the cable
    await after("address add 192.0.2.7/24 dev eth0 valid_lft 600 preferred_lft 600") # a lease
    await after("address change 192.0.2.7/24 dev eth0 valid_lft 900 preferred_lft 900", tells=False)
    await after("tuntap add vnet0 mode tap", "link add red type bridge", "link set vnet0 master red", tells=False)
    await after("link set far down")
    await after("address delete 192.0.2.7/24 dev eth0")
    watching.cancel()

asyncio.run(main())
print("good")
"""


def test_only_what_changed_by_itself_is_told() -> None:
    command = ["unshare", "--net", sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout) == (0, "good\n"), done.stderr
