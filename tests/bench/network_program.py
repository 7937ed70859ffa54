"""100 networks with VLANs, made in one call of the helper and by a batch of ip(8), measured inside a bed. Run by
rows_network.py; prints the seconds of each round as JSON."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from ovis.node.network import kernel_state
from ovis.node.network.model import Change, Network
from ovis.node.network.networks import Networks
from ovis.node.network.state import State
from ovis.node.network.store import Store
from ovis.node.privileged.client import Privileged, child

CARD = "card0"
COUNT = 100


async def measure(folder: Path, quick: bool) -> dict[str, list[float]]:
    options = ("--network-state", str(folder), "--resolver", str(folder / "resolv.conf"))
    helper = Privileged(child(repository=PurePosixPath(folder), user=0, group=0, options=options))
    networks = Networks(lambda: helper, Store(folder))
    wanted = {f"net{n}": Network(f"net{n}", nic=CARD, vlan=n) for n in range(1, COUNT + 1)}
    await networks.set_up(Change({"first": Network("first", nic=CARD)}))  # the helper runs, the card is up
    found: dict[str, list[float]] = {"networks": [], "ip": [], "ratio": []}
    for _ in range(1 if quick else 7):
        begin = time.perf_counter()
        by_ip(folder)
        found["ip"].append(time.perf_counter() - begin)
        theirs = kernel_state.read()
        remove_by_ip()
        begin = time.perf_counter()
        await networks.set_up(Change(wanted))
        found["networks"].append(time.perf_counter() - begin)
        assert shape(kernel_state.read()) == shape(theirs)
        await networks.set_up(Change(dict.fromkeys(wanted)))
        found["ratio"].append(found["networks"][-1] / found["ip"][-1])
    await helper.close()
    return found


def shape(state: State) -> dict[str, tuple[object, ...]]:
    return {
        name: (k.kind, k.mtu, k.master, k.base, k.tag, k.is_up, k.mac, k.ipv6) for name, k in state.present().items()
    }


def by_ip(folder: Path) -> None:
    """What it takes to come to the same state: two programs, two files."""
    mac = kernel_state.read().present()[CARD].mac
    lines, settings = [], []
    for n in range(1, COUNT + 1):
        lines += [
            f"link add link {CARD} name {CARD}.{n} type vlan id {n}",
            f"link add net{n} address {mac} type bridge forward_delay 0",
        ]
        for device in (f"{CARD}/{n}", f"net{n}"):  # a slash stands for a dot in names here
            settings += [f"net.ipv6.conf.{device}.{key} = {value}" for key, value in _IPV6.items()]
    (folder / "make").write_text("\n".join(lines) + "\n")
    (folder / "settings").write_text("\n".join(settings) + "\n")
    lines = []
    for n in range(1, COUNT + 1):
        lines += [f"link set {CARD}.{n} master net{n}", f"link set {CARD}.{n} up", f"link set net{n} up"]
    (folder / "raise").write_text("\n".join(lines) + "\n")
    run("ip", "-batch", str(folder / "make"))
    run("sysctl", "--quiet", "--load", str(folder / "settings"))
    run("ip", "-batch", str(folder / "raise"))


_IPV6 = {"accept_ra": 0, "autoconf": 0, "disable_ipv6": 1}


def remove_by_ip() -> None:
    lines = [f"link delete {name}" for n in range(1, COUNT + 1) for name in (f"net{n}", f"{CARD}.{n}")]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, timeout=120, check=True)


def run(*command: str) -> None:
    subprocess.run(command, stdin=subprocess.DEVNULL, timeout=120, check=True)


def main() -> None:
    for line in ("modprobe -a 8021q bridge veth", f"ip link add {CARD} type veth peer name p0", "ip link set p0 up"):
        run(*line.split())
    with TemporaryDirectory(dir="/var/tmp") as folder:
        found = asyncio.run(measure(Path(folder), "--quick" in sys.argv))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
