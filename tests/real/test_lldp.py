"""What a switch (a second lldpd, in a namespace) announces, read through the root helper."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 60
# In a mount namespace of its own lldpd has its usual socket, and the host's is left alone.
START = 'mount --bind "$0" /run && mkdir -p /run/lldpd && exec lldpd -d -I "$1" -S "$2"'
READ = """
import asyncio, pathlib, sys
sys.path[:0] = ["tests/node/privileged"]
import programs
from ovis.client import codec
from ovis.node.host.neighbour_verbs import heard
from ovis.node.privileged.rules import Rules

async def main():
    rules = Rules(repository=pathlib.PurePosixPath("/nowhere"), user=0, group=0)
    async with programs.inside(rules) as helper:
        print(codec.encode_result("Host.getLldp", await heard(helper, [], ["ours", "other"])).decode())

asyncio.run(main())
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Name of its namespace, and its /run."""
    if shutil.which("lldpd") is None:
        pytest.skip("lldpd is not installed")
    names = [f"ovis-lldp-{os.getpid()}-{end}" for end in ("host", "switch")]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        peer = ["type", "veth", "peer", "name", "theirs", "netns", names[1]]
        subprocess.run(["ip", "-n", names[0], "link", "add", "ours", *peer], check=True)
        for name, card in zip(names, ("ours", "theirs"), strict=True):
            subprocess.run(["ip", "-n", name, "link", "set", card, "up"], check=True)
            folder = tmp_path / name
            folder.mkdir()
            start = ["unshare", "--mount", "sh", "-c", START, str(folder), card, f"{card} OS 1.2"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            running.append(subprocess.Popen(["ip", "netns", "exec", name, *start], **quiet))  # type: ignore[call-overload]
        yield names[0], tmp_path / names[0]
    finally:
        for process in running:
            process.terminate()
            process.wait(SECONDS)
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False)


def test_the_other_end_of_the_cable_is_told(host: tuple[str, Path]) -> None:
    name, run = host
    read = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount --bind "$0" /run && exec "$@"',
        str(run),
        sys.executable,
        "-c",
        READ,
    ]
    until = time.monotonic() + SECONDS
    while True:
        done = subprocess.run(
            ["ip", "netns", "exec", name, *read], capture_output=True, text=True, check=True, timeout=60
        )
        told = json.loads(done.stdout)
        if told["ours"]["tlvs"]:
            break
        assert time.monotonic() < until, told
        time.sleep(0.2)
    items = {item["name"]: item["properties"] for item in told["ours"]["tlvs"]}
    assert items["System Description"]["system description"] == "theirs OS 1.2"
    assert items["Port Description"]["port description"] == "theirs"
    assert told["ours"]["enabled"] == "true"
    assert told["other"]["tlvs"] == []
