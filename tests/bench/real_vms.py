"""VMs on the libvirt of a virtual host, made by the agent or by `virsh create` of the same description.

They hold no guest: the firmware finds nothing to boot and halts, so that what is compared is not hidden by its work.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import libvirt
import msgspec
from agent import Agent, AgentFailed
from real_libvirt import RealLibvirt
from vms import create_params, vm_id

from ovis.wire.blocking import BlockingConnection
from ovis.wire.events import Event

_IDLE = """<domain type='qemu'>
  <name>idle-{number:03}</name>
  <uuid>{id}</uuid>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><memballoon model='virtio'/></devices>
</domain>
"""
_STARTED = {"Powering up", "Up", "Paused"}
_SECONDS = 120.0


def idle_xml(number: int) -> str:
    """16 MiB, and none of the devices that have work to do: the least that QEMU starts with."""
    return _IDLE.format(number=number, id=vm_id(number))


def server_xml(number: int, disks: Path, bridge: str) -> str:
    """The usual server of the other measurements, in software emulation."""
    params = create_params(number, disks, bridge)["vmParams"]
    assert isinstance(params, dict)
    return str(params["xml"]).replace("type='kvm'", "type='qemu'").replace(">1024<", ">64<")


class Followed:
    """The agent's VMs on a connection that is told each change of their status."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._connection = agent.connect()
        self._events = self._connection.subscribe("|virt|VM_status|*")

    def close(self) -> None:
        self._connection.close()

    def await_started(self, wanted: Sequence[str]) -> None:
        """Raises AgentFailed when one ends."""
        missing, end = set(wanted), time.monotonic() + _SECONDS
        while missing:
            event = next(self._events)
            if time.monotonic() > end:
                raise AgentFailed(f"{len(missing)} VMs do not run: {self._agent.log()}")
            if isinstance(event, Event):
                for vm, change in msgspec.json.decode(event.params).items():
                    if isinstance(change, dict) and change.get("status") in _STARTED:
                        missing.discard(vm)
                    elif isinstance(change, dict) and change.get("exitCode"):  # not those that were told to end
                        raise AgentFailed(f"VM {vm} is down: {change}")


@contextmanager
def followed(agent: Agent) -> Iterator[Followed]:
    found = Followed(agent)
    try:
        yield found
    finally:
        found.close()


def create(connection: BlockingConnection, number: int, xml: str, *, paused: bool = False) -> None:
    params = {"vmID": vm_id(number), "vmParams": {"xml": xml, "launchPaused": paused}}
    connection.call("VM.create", msgspec.json.encode(params), timeout=_SECONDS)


def create_at_once(agent: Agent, xmls: dict[int, str], *, paused: bool = False) -> None:
    """One connection for each, as if as many clients asked; returns when all are accepted."""
    connections = {number: agent.connect() for number in xmls}
    try:
        with ThreadPoolExecutor(len(xmls)) as threads:
            list(threads.map(lambda number: create(connections[number], number, xmls[number], paused=paused), xmls))
    finally:
        for connection in connections.values():
            connection.close()


def destroy(agent: Agent, numbers: Sequence[int]) -> None:
    """Through the agent."""

    def one(number: int) -> None:
        with agent.connect() as connection:
            connection.call("VM.destroy", msgspec.json.encode({"vmID": vm_id(number)}), timeout=_SECONDS)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, numbers))


def virsh_create(host: RealLibvirt, files: Sequence[Path]) -> None:
    """One `virsh create` for each file, all at once; returns when the last has ended."""
    started = [
        subprocess.Popen(
            ["virsh", "--quiet", "--connect", host.uri, "create", file],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for file in files
    ]  # fmt: skip
    try:
        for process in started:
            _, said = process.communicate(timeout=_SECONDS)
            if process.returncode:
                raise AgentFailed(f"virsh create: {said.strip()}")
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def plain_libvirt(host: RealLibvirt) -> Iterator[libvirt.virConnect]:
    connection = libvirt.open(host.uri)
    try:
        yield connection
    finally:
        connection.close()


def destroy_plainly(host: RealLibvirt, numbers: Sequence[int]) -> None:
    """Without the agent, which is not told."""

    def one(number: int) -> None:
        with plain_libvirt(host) as connection:
            connection.lookupByUUIDString(vm_id(number)).destroyFlags(0)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, numbers))


def await_probed(agent: Agent) -> None:
    """Make and destroy a VM: libvirt has probed QEMU then, which takes seconds once."""
    with followed(agent) as follower, agent.connect() as connection:
        create(connection, 999, idle_xml(999))
        follower.await_started([vm_id(999)])
    destroy(agent, [999])
