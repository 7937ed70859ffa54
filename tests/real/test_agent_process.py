"""The agent as a process: VMs outlive it, whatever happens to it."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import msgspec
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import ConnectionLost, RpcError
from tests.real.agent_process import AgentProcess, agent_process

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
PAUSED_WITHOUT_OS = """\
<domain type='qemu'><name>{name}</name><uuid>{id}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""


@pytest.fixture
def agent(tmp_path: Path, vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[AgentProcess]:
    with agent_process(tmp_path, vhost, guest_image) as process:
        yield process
    _remove_domains(vhost)


@pytest.fixture
def boot(agent: AgentProcess, vhost: VirtualHost, guest_image: TinyGuest) -> Callable[[Node], str]:
    def start(node: Node) -> str:
        vm_id = str(uuid.uuid4())
        xml = DOMAIN.format(
            name=f"vm-{vm_id[:8]}",
            uuid=vm_id,
            kernel=guest_image.kernel,
            initrd=guest_image.initrd,
            mac="52:54:00:" + ":".join(f"{b:02x}" for b in uuid.UUID(vm_id).bytes[:3]),
            bridge=vhost.bridge,
        )
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=xml))
        return vm_id

    return start


def _domains(vhost: VirtualHost) -> set[str]:
    connection = libvirt.open(vhost.libvirt_uri)
    try:
        return {domain.UUIDString() for domain in connection.listAllDomains()}
    finally:
        connection.close()


def _remove_domains(vhost: VirtualHost) -> None:
    connection = libvirt.open(vhost.libvirt_uri)
    try:
        for domain in connection.listAllDomains():
            domain.destroy()
    finally:
        connection.close()


def _until(what: str, true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def _status(node: Node, vm_id: str) -> types.VmStatus:
    stats = node.vm.get_stats(vm_id)[0]
    assert isinstance(stats, types.RunningVmStats | types.ExitedVmStats)
    return types.VmStatus(stats.status)


def _small(vm_id: str) -> types.VmParameters:
    return types.VmParameters(vm_id=vm_id, xml=PAUSED_WITHOUT_OS.format(id=vm_id, name=f"vm-{vm_id[:8]}"))


def test_killed_agent_finds_its_vm_again_with_state_and_start_time(
    agent: AgentProcess, boot: Callable[[Node], str]
) -> None:
    agent.start()
    with agent.client() as node:
        vm_id = boot(node)
        _until("the guest is up", lambda: _status(node, vm_id) is types.VmStatus.UP)
        before = node.vm.get_stats(vm_id)[0]
    agent.kill()
    agent.start()
    with agent.client() as node:
        after = node.vm.get_stats(vm_id)[0]
        assert isinstance(before, types.RunningVmStats)
        assert isinstance(after, types.RunningVmStats)
        assert after.vm_name == before.vm_name
        assert after.elapsed_time >= before.elapsed_time
        _until("the guest is up again", lambda: _status(node, vm_id) is types.VmStatus.UP)
        node.vm.destroy(vm_id)


def test_vm_that_was_paused_is_paused_after_a_kill(agent: AgentProcess) -> None:
    vm_id = str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        node.vm.create(vm_id, _small(vm_id))
        _until("it runs", lambda: _status(node, vm_id) is not types.VmStatus.WAIT_FOR_LAUNCH)
        node.vm.pause(vm_id)
    agent.kill()
    agent.start()
    with agent.client() as node:
        assert _status(node, vm_id) is types.VmStatus.PAUSED
        node.vm.destroy(vm_id)


def test_vm_that_ended_while_the_agent_was_dead_is_down_with_a_reason(agent: AgentProcess, vhost: VirtualHost) -> None:
    vm_id = str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        node.vm.create(vm_id, _small(vm_id))
        _until("it runs", lambda: _status(node, vm_id) is not types.VmStatus.WAIT_FOR_LAUNCH)
    agent.kill()
    _remove_domains(vhost)
    agent.start()
    with agent.client() as node:
        stats = node.vm.get_stats(vm_id)[0]
        assert isinstance(stats, types.ExitedVmStats)
        assert stats.exit_reason == 9
        node.vm.destroy(vm_id)
        assert node.host.get_vm_list() == []


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.1, 0.3])
def test_agent_killed_while_it_creates_leaves_the_vm_whole_or_down(
    agent: AgentProcess, vhost: VirtualHost, delay: float
) -> None:
    vm_id = str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        # sent by hand: the answer may never come
        node._connection._socket.sendall(_request("VM.create", _create_params(vm_id)))
        time.sleep(delay)
        agent.kill()
    agent.start()
    with agent.client() as node:
        known = node.host.get_vm_list(only_uuid=True)
        if vm_id in known and _status(node, vm_id) is not types.VmStatus.DOWN:
            assert vm_id in _domains(vhost)
        else:
            # a start that libvirt had already begun may come through late: then it is known as running
            time.sleep(1)
            running = vm_id in _domains(vhost)
            assert running == (vm_id in node.host.get_vm_list() and _status(node, vm_id) is not types.VmStatus.DOWN)
        if vm_id in node.host.get_vm_list():
            node.vm.destroy(vm_id)
        assert vm_id not in _domains(vhost)


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.1])
def test_agent_killed_while_it_destroys_finishes_it_or_keeps_the_vm(
    agent: AgentProcess, vhost: VirtualHost, delay: float
) -> None:
    vm_id = str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        node.vm.create(vm_id, _small(vm_id))
        _until("it runs", lambda: _status(node, vm_id) is not types.VmStatus.WAIT_FOR_LAUNCH)
        node._connection._socket.sendall(_request("VM.destroy", f'{{"vmID":"{vm_id}"}}'))
        time.sleep(delay)
        agent.kill()
    agent.start()
    with agent.client() as node:
        known = vm_id in node.host.get_vm_list()
        assert known or vm_id not in _domains(vhost), "a domain runs that the agent does not know"
        if known:
            node.vm.destroy(vm_id)
        assert vm_id not in _domains(vhost)


def test_stop_answers_or_refuses_what_is_in_flight_and_leaves_the_vm(agent: AgentProcess, vhost: VirtualHost) -> None:
    vm_id = str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        node.vm.create(vm_id, _small(vm_id))
        _until("it runs", lambda: _status(node, vm_id) is not types.VmStatus.WAIT_FOR_LAUNCH)
        assert agent.stop() < 2
        with pytest.raises((ConnectionLost, RpcError)):
            node.host.ping2()
    assert agent.process is not None
    assert agent.process.returncode == 0
    assert vm_id in _domains(vhost)


def test_a_disk_under_another_name_is_not_opened_by_a_second_vm(
    agent: AgentProcess, vhost: VirtualHost, tmp_path: Path
) -> None:
    (tmp_path / "disk.raw").write_bytes(bytes(1 << 20))
    (tmp_path / "same.raw").symlink_to(tmp_path / "disk.raw")
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    agent.start()
    with agent.client() as node:
        node.vm.create(first, _with_disk(first, tmp_path / "disk.raw"))
        _until("it runs", lambda: _status(node, first) is not types.VmStatus.WAIT_FOR_LAUNCH)
        node.vm.create(second, _with_disk(second, tmp_path / "same.raw"))
        _until("it is refused", lambda: _status(node, second) is types.VmStatus.DOWN)
        stats = node.vm.get_stats(second)[0]
        assert isinstance(stats, types.ExitedVmStats)
        assert stats.exit_message is not None
        assert "write" in stats.exit_message
        assert "lock" in stats.exit_message
    assert first in _domains(vhost)
    assert second not in _domains(vhost)


def test_second_agent_on_the_same_folder_is_refused(agent: AgentProcess) -> None:
    agent.start()
    program = Path(sys.executable).with_name("ovisd")
    second = subprocess.run(
        [program, "--config", agent.configuration], capture_output=True, text=True, timeout=20, check=False
    )
    assert second.returncode == 1
    assert "another ovisd" in second.stderr


def _with_disk(vm_id: str, path: Path) -> types.VmParameters:
    disk = (
        f"<devices><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{path}'/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>"
    )
    xml = PAUSED_WITHOUT_OS.format(id=vm_id, name=f"vm-{vm_id[:8]}").replace("</domain>", disk)
    return types.VmParameters(vm_id=vm_id, xml=xml)


def _create_params(vm_id: str) -> str:
    parameters = {"vmID": vm_id, "vmParams": {"vmId": vm_id, "xml": _small(vm_id).xml}}
    return msgspec.json.encode(parameters).decode()


def _request(method: str, params: str) -> bytes:
    body = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}'.encode()
    return len(body).to_bytes(8, "big") + body
