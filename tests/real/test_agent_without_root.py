"""The agent as an ordinary user without any capability; what needs root is done by a helper that is a service."""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import libvirt
import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client import types
from ovis.client.node import Node
from ovis.wire.errors import RpcError
from tests.real.agent_process import AgentProcess, agent_process
from tests.real.ordinary_user import AGENT, as_ordinary_user

SMALL = """\
<domain type='qemu'><name>{name}</name><uuid>{id}</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""


@dataclass
class HelperService:
    folder: Path
    guest_state: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def log(self) -> str:
        return (self.folder / "helper.log").read_text()

    def start(self) -> None:
        path = self.folder / "helper"
        path.unlink(missing_ok=True)
        words = ("--socket", path, "--user", str(AGENT), "--group", str(AGENT), "--repository", self.folder / "data")
        words += ("--swtpm-folder", self.guest_state / "swtpm", "--nvram-folder", self.guest_state / "qemu/nvram")
        with (self.folder / "helper.log").open("ab") as log:
            program = (sys.executable, "-P", "-m", "ovis.node.privileged")
            self.process = subprocess.Popen([*program, *words], stderr=log)
        end = time.monotonic() + 60
        while not _answers(path):
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass
class Scene:
    folder: Path
    agent: AgentProcess
    helper: HelperService
    libvirt_uri: str

    def use_local_storage(self) -> int:
        """The status of a connection to a folder of this host, which the helper is asked about; 0: usable."""
        server = types.ConnectionRefParameters(id=str(uuid.uuid4()), connection=str(self.folder / "images"))
        with self.agent.client() as node:
            (outcome,) = node.storage_pool.connect_storage_server(types.StorageDomainTypeId.LOCALFS, [server])
        return outcome.status

    def secrets(self) -> list[str]:
        connection = libvirt.open(self.libvirt_uri)
        try:
            return [secret.UUIDString() for secret in connection.listAllSecrets()]
        finally:
            connection.close()


@pytest.fixture(scope="module")
def scene(vhost: VirtualHost, guest_image: TinyGuest) -> Iterator[Scene]:
    folder = Path(tempfile.mkdtemp(prefix="ovis-agent-"))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    for name in ("run", "state", "data", "images"):
        (folder / name).mkdir()
        os.chown(folder / name, AGENT, AGENT)
    helper = HelperService(folder, vhost.folder / "state")
    vhost.libvirt_socket.chmod(0o666)
    try:
        helper.start()
        with agent_process(folder, vhost, guest_image) as agent:
            line = folder / "libvirt"
            configuration = agent.configuration.read_text().replace(str(vhost.libvirt_socket), str(line))
            storage = f'[storage]\nroot = "{folder}/data"\nprivileged_socket = "{folder}/helper"\nlocks = "local"\n'
            owner = f"user = {AGENT}\ngroup = {AGENT}\n"
            host = f'[host]\nfence_agents = "{folder}"\n'
            agent.configuration.write_text(configuration + storage + owner + host)
            agent.prefix = as_ordinary_user(folder, {line: vhost.libvirt_socket})
            agent.start()
            yield Scene(folder, agent, helper, vhost.libvirt_uri)
    finally:
        helper.end()
        vhost.libvirt_socket.chmod(0o700)
        shutil.rmtree(folder)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _running(node: Node, vm_id: str) -> types.RunningVmStats | None:
    (found,) = node.vm.get_stats(vm_id)
    assert not isinstance(found, types.ExitedVmStats), found
    return found if isinstance(found, types.RunningVmStats) else None


def test_it_has_neither_root_nor_capabilities(scene: Scene) -> None:
    assert scene.agent.process
    status = Path(f"/proc/{scene.agent.process.pid}/status").read_text()
    assert re.search(rf"^Uid:\s+{AGENT}\s+{AGENT}\s+{AGENT}\s+{AGENT}$", status, re.MULTILINE)
    assert set(re.findall(r"^Cap\w+:\s+(\w+)$", status, re.MULTILINE)) == {"0" * 16}


def test_it_runs_vms(scene: Scene) -> None:
    vm_id = str(uuid.uuid4())
    with scene.agent.client() as node:
        node.vm.create(vm_id, types.VmParameters(vm_id=vm_id, xml=SMALL.format(id=vm_id, name=f"vm-{vm_id[:8]}")))
        end = time.monotonic() + 60
        while (found := _running(node, vm_id)) is None or found.status == "WaitForLaunch":
            assert time.monotonic() < end, found
            time.sleep(0.1)
        assert node.host.get_capabilities().cpu_model
        node.vm.destroy(vm_id)


FIRMWARE = """<os><type arch='x86_64' machine='q35'>hvm</type>
<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
<nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'>/var/lib/libvirt/qemu/nvram/{id}.fd</nvram></os>
<features><acpi/></features>
<devices><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm></devices>"""
UEFI = re.sub(r"<os>.*</os>", FIRMWARE, SMALL.replace(">16<", ">256<"))


@pytest.mark.skipif(shutil.which("swtpm") is None, reason="needs ovmf and swtpm (make setup)")
def test_what_firmware_and_tpm_keep_is_read_handed_back_and_removed(scene: Scene) -> None:
    vm_id = str(uuid.uuid4())
    text = UEFI.format(id=vm_id, name=f"vm-{vm_id[:8]}")
    state = scene.helper.guest_state
    places = (state / "swtpm" / vm_id, state / "qemu/nvram" / f"{vm_id}.fd")
    data: list[str | None] = [None, None]
    with scene.agent.client() as node:
        for _ in range(2):
            tpm, nvram = data
            given = types.VmParameters(vm_id=vm_id, xml=text, x_tpmdata=tpm, x_nvramdata=nvram)
            node.vm.create(vm_id, given)
            end = time.monotonic() + 60
            while (found := _running(node, vm_id)) is None or found.status == "WaitForLaunch":
                assert time.monotonic() < end, found
                time.sleep(0.1)
            read = [node.vm.get_external_data(vm_id, kind, force_update=True).x_data for kind in ("tpm", "nvram")]
            assert all(read)
            data = list(read)
            node.vm.destroy(vm_id)
            assert not [place for place in places if place.exists()]


def test_secrets_are_private_and_gone_after_a_restart(scene: Scene) -> None:
    kept, forgotten, foreign = (str(uuid.uuid4()) for _ in range(3))

    def info(secret_id: str) -> types.SecretInfo:
        value = base64.b64encode(b"never shown").decode()
        return types.SecretInfo(
            uuid=secret_id, usage_id=f"ovirt/{secret_id}", usage_type=types.SecretUsageType.CEPH, password=value
        )

    connection = libvirt.open(scene.libvirt_uri)
    try:
        connection.secretDefineXML(f"<secret ephemeral='yes'><uuid>{foreign}</uuid></secret>")
        with scene.agent.client() as node:
            for _ in range(2):
                node.host.register_secrets([info(kept), info(forgotten)])
            node.host.unregister_secrets([forgotten])
            with pytest.raises(RpcError, match="not made by this agent"):
                node.host.unregister_secrets([foreign])
        assert set(scene.secrets()) == {kept, foreign}
        with pytest.raises(libvirt.libvirtError):
            connection.secretLookupByUUIDString(kept).value()
        scene.agent.kill()
        scene.agent.start()
        assert scene.secrets() == [foreign]
        connection.secretLookupByUUIDString(foreign).undefine()
    finally:
        connection.close()


FENCE = """\
#!/bin/sh
power="$(dirname "$0")/images/power"
read first
case "$first" in
    action=status) [ -e "$power" ] && exit 0; echo "Status: OFF"; exit 2 ;;
    action=on) touch "$power"; cat >&2; exit 1 ;;
esac
"""


def test_another_machine_is_fenced_and_its_password_is_in_no_log(scene: Scene) -> None:
    (scene.folder / "fence_toy").write_text(FENCE)
    (scene.folder / "fence_toy").chmod(0o755)
    asked = ("bmc.example", 0, "toy", "admin", "hushhush")
    with scene.agent.client() as node:
        assert node.host.fence_node(*asked, types.FenceNodeAction.STATUS).power == "off"
        begun = node.host.fence_node(*asked, types.FenceNodeAction.ON)
        assert begun.operation_status == "initiated"
        end = time.monotonic() + 60
        while node.host.fence_node(*asked, types.FenceNodeAction.STATUS).power != "on":
            assert time.monotonic() < end
            time.sleep(0.1)
        with pytest.raises(RpcError, match="fence_nothing"):
            node.host.fence_node("bmc", 0, "nothing", "a", "b", types.FenceNodeAction.STATUS)
    log = (scene.folder / "ovisd.log").read_text()
    while "its power is unknown" not in log:  # what became of it is told when the agent has ended
        assert time.monotonic() < end, log[-2000:]
        time.sleep(0.1)
        log = (scene.folder / "ovisd.log").read_text()
    assert "********" in log
    assert "hushhush" not in log


def test_host_without_a_hosted_engine_says_so(scene: Scene) -> None:
    with scene.agent.client() as node:
        with pytest.raises(RpcError, match="not set up") as refused:
            node.host.set_ha_maintenance_mode(types.HaMaintenanceMode.GLOBAL, enabled=True)
        assert refused.value.code == 40
        assert not node.host.get_stats().ha_stats.configured


def test_agent_and_helper_outlive_each_other(scene: Scene) -> None:
    assert scene.use_local_storage() == 0
    for _ in range(2):
        scene.agent.kill()
        scene.agent.start()
        assert scene.use_local_storage() == 0
    assert scene.helper.process
    assert scene.helper.process.poll() is None
    asked = scene.helper.log.splitlines()[-1]
    flow = asked.partition("[")[2].partition("]")[0]
    assert f"[{flow}] StoragePool.connectStorageServer" in (scene.folder / "ovisd.log").read_text()
    scene.helper.end()
    assert scene.use_local_storage() != 0
    scene.helper.start()
    assert scene.use_local_storage() == 0
