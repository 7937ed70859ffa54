"""Kill -9 of a helper at each step of a change, on the kernel: run in a network namespace of its own.

    unshare --net python network_deaths.py FOLDER

Prints `N deaths` when after each of them the next helper had brought everything back.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ovis.node.network.model import Change, Configuration, Ipv4, Ipv6, Network
from ovis.node.network.state import State
from ovis.node.network.steps import Step
from ovis.node.network.store import Store
from ovis.node.privileged import network_calls
from ovis.node.privileged.netlink import channel
from ovis.node.privileged.network_change import Changer, Waiting
from ovis.node.privileged.network_dhcp import DhcpClients
from ovis.node.privileged.network_kernel import RealKernel
from ovis.node.privileged.resolver import Resolver

DEVICES = """
link set lo up
link add card0 type veth peer name p0
link add card1 type veth peer name p1
link set p0 up
link set p1 up
address add 198.51.100.7/24 dev card0
address add 2001:db8::7/64 dev card0 nodad
link set card0 up
route add default via 198.51.100.1
route add 203.0.113.0/24 via 198.51.100.2 metric 50
"""
IP = Ipv4("198.51.100.7", 24, "198.51.100.1")
WISH = Change(
    {
        "red": Network("red", nic="card0", ipv4=IP, ipv6=Ipv6("2001:db8::7", 64), default_route=True, mtu=1400),
        "blue": Network("blue", nic="card1", bridged=False, mtu=9000, ipv4=Ipv4("10.0.0.7", 24, "10.0.0.1")),
    }
)


class Mortal(RealKernel):
    left = 0

    def do(self, step: Step) -> None:
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        super().do(step)


def main(folder: Path) -> None:
    subprocess.run(["ip", "-batch", "-"], input=DEVICES, text=True, check=True)
    (folder / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    deaths = 0
    before = look(folder)
    while dies(folder, deaths, lambda changer: changer.change(WISH, Waiting())):
        deaths += 1
        dies(folder, deaths // 3, lambda changer: changer.restore())  # on the way back as well
        with network_calls.changer(folder, folder / "resolv.conf") as changer:
            changer.restore()
        assert look(folder) == before, f"after death {deaths}:\n{look(folder)}\n{before}"
        assert Store(folder).running() == Configuration()
    assert Store(folder).running() == Configuration().changed(WISH)
    print(deaths, "deaths")


def dies(folder: Path, step: int, do: Callable[[Changer], object]) -> bool:
    """A process that is killed before its step of that number; False: it had done everything."""
    child = os.fork()
    if child == 0:
        store = Store(folder)
        with channel() as opened:
            kernel = Mortal(opened, DhcpClients(store.own / "dhcp"), Resolver(folder / "resolv.conf"))
            kernel.left = step
            do(Changer(store, kernel))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or status == 0, f"the change failed: {status}"
    return os.WIFSIGNALED(status)


def look(folder: Path) -> State:
    with channel() as opened:
        return RealKernel(opened, DhcpClients(folder / "none"), Resolver(folder / "resolv.conf")).read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
