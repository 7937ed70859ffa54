"""The agents in a real guest, its consoles and its clock, through a real agent process."""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost
from ovis.client.console import BlockingTunnel, Refused, open_console
from ovis.client.types import VmParameters, VmStatus, VmTicketConflictAction
from ovis.wire.errors import RpcError
from ovis.wire.target import UnixTarget
from tests.real.agent_process import AgentProcess, agent_process

DOMAIN = (Path(__file__).parent / "tiny_domain.xml").read_text()
ID = "0b5e77ed-0000-4000-8000-00000000c0de"
PATIENCE = 60.0
DEVICES = """<channel type='unix'><target type='virtio' name='ovirt-guest-agent.0'/></channel>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='{disk}'/><target dev='vda' bus='virtio'/>
    </disk>
    <graphics type='vnc' port='-1' autoport='yes' passwd='nobody' passwdValidTo='1970-01-01T00:00:01'>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <video><model type='vga'/></video>
  </devices>"""


class Machine:
    """One guest under one agent, for the whole module; tests leave it running and thawed."""

    def __init__(self, agent: AgentProcess, host: VirtualHost) -> None:
        self.agent = agent
        self.host = host

    @property
    def stats(self) -> Any:
        with self.agent.client() as node:
            (found,) = node.vm.get_stats(vm_id=ID)
        return found

    def until(self, is_so: Callable[[Any], object], *, seconds: float = PATIENCE) -> Any:
        end = time.monotonic() + seconds
        while not is_so(stats := self.stats):
            assert time.monotonic() < end, stats
            time.sleep(0.1)
        return stats

    def guest(self, command: str, **arguments: object) -> Any:
        """What the QEMU agent in the guest answers, past our agent."""
        asked = json.dumps({"execute": command, "arguments": arguments} if arguments else {"execute": command})
        virsh = ["virsh", "--connect", self.host.libvirt_uri, "qemu-agent-command", ID, asked]
        done = subprocess.run(virsh, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)["return"]

    def shell(self, script: str) -> str:
        """Run in the guest."""
        pid = self.guest("guest-exec", **{"path": "/bin/sh", "arg": ["-c", script], "capture-output": True})["pid"]
        end = time.monotonic() + PATIENCE
        while not (status := self.guest("guest-exec-status", pid=pid))["exited"]:
            assert time.monotonic() < end
            time.sleep(0.1)
        return base64.b64decode(status.get("out-data", "")).decode()

    def console(self, kind: str = "serial", **how: Any) -> BlockingTunnel:
        return open_console(UnixTarget(str(self.agent.socket)), ID, kind=kind, **how)


@pytest.fixture(scope="module")
def machine(vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("guest")
    disk = folder / "disk.img"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", disk], check=True, timeout=20)
    xml = DOMAIN.format(
        name="guest", uuid=ID, kernel=guest_image.kernel, initrd=guest_image.initrd, mac="52:54:00:00:c0:de",
        bridge=vhost.bridge,
    )  # fmt: skip
    with agent_process(folder, vhost, guest_image) as agent:
        with agent.configuration.open("a") as file:
            file.write("freeze_seconds = 4\n")
        agent.start()
        found = Machine(agent, vhost)
        with agent.client() as node:
            node.vm.create(vm_id=ID, vm_params=VmParameters(xml=xml.replace("</devices>", DEVICES.format(disk=disk))))
        try:
            found.until(lambda stats: stats.status is VmStatus.UP and stats.guest_ips and stats.apps_list)
            found.shell("mount -t ext4 /dev/vda /mnt")
            yield found
        finally:
            with agent.client() as node:
                node.vm.destroy(vm_id=ID, graceful_attempts=0)


def test_facts_of_both_agents_are_one_picture(machine: Machine) -> None:
    stats = machine.stats
    assert stats.guest_fqdn == "tiny.example.org"
    assert "ovirt-agent-0.1" in stats.apps_list
    assert stats.guest_cpu_count == 1
    assert stats.guest_os_info.type == "linux"


def test_desktop_is_logged_into_locked_and_logged_off(machine: Machine) -> None:
    with machine.agent.client() as node:
        node.vm.desktop_login(vm_id=ID, domain="there", username="me", password="secret")
        machine.until(lambda stats: stats.username == "me@there" and stats.session.value == "UserLoggedOn")
        node.vm.desktop_lock(vm_id=ID)
        machine.until(lambda stats: stats.session.value == "Locked")
        node.vm.desktop_send_hc_command(vm_id=ID, message="agreed-name")
        node.vm.desktop_logoff(vm_id=ID, force=True)
        machine.until(lambda stats: stats.session.value == "LoggedOff" and not stats.username)
    assert "agreed-name" in machine.shell("cat /run/desktop/commands").split()


def test_frozen_file_system_takes_no_writes_until_it_is_thawed(machine: Machine) -> None:
    console = machine.console()
    with machine.agent.client() as node:
        node.vm.freeze(vm_id=ID)
        assert machine.guest("guest-fsfreeze-status") == "frozen"
        with pytest.raises(RpcError) as refused:
            node.vm.freeze(vm_id=ID)
        assert refused.value.code == 76
        console.send(b"(echo x > /mnt/file; echo wrote=$((1+1))) & sleep 1; echo still-$((2+2))\r")
        assert b"wrote=2" not in read_until(console, b"still-4")
        node.vm.thaw(vm_id=ID)
        node.vm.thaw(vm_id=ID)
    assert b"wrote=2" in read_until(console, b"wrote=2")
    console.close()


def test_guest_is_thawed_though_the_agent_was_killed(machine: Machine) -> None:
    with machine.agent.client() as node:
        node.vm.freeze(vm_id=ID)
    machine.agent.kill()
    assert machine.guest("guest-fsfreeze-status") == "frozen"
    machine.agent.start()
    end = time.monotonic() + PATIENCE
    while machine.guest("guest-fsfreeze-status") != "thawed":
        assert time.monotonic() < end
        time.sleep(0.1)
    with machine.agent.client() as node:
        with pytest.raises(RpcError, match="not consistent") as told:
            node.vm.thaw(vm_id=ID)
        assert told.value.code == 77
        node.vm.thaw(vm_id=ID)


def test_clock_is_right_after_a_pause(machine: Machine) -> None:
    with machine.agent.client() as node:
        node.vm.pause(vm_id=ID)
        time.sleep(3)  # what is measured is time itself
        node.vm.cont(vm_id=ID)
    end = time.monotonic() + PATIENCE
    while abs(machine.guest("guest-get-time") / 1e9 - time.time()) > 1.0:
        assert time.monotonic() < end, "the guest's clock is still behind"
        time.sleep(0.1)


def read_until(console: BlockingTunnel, text: bytes) -> bytes:
    seen = b""
    end = time.monotonic() + PATIENCE
    while text not in seen and not console.is_over:
        ready, _, _ = select.select([console], [], [], 0 if console.has_more else 1)
        assert ready or console.has_more or time.monotonic() < end, seen
        if ready or console.has_more:
            seen += b"".join(console.receive())
    return seen


def test_serial_console_is_a_shell_and_can_be_taken(machine: Machine) -> None:
    first = machine.console()
    first.send(b"echo $((6*7))\r")
    assert b"42" in read_until(first, b"42")
    with pytest.raises(Refused) as refused:
        machine.console()
    assert refused.value.status == 409
    second = machine.console(force=True)
    read_until(first, b"never said")
    assert first.is_over
    second.send(b"echo $((6*8))\r")
    assert b"48" in read_until(second, b"48")
    for console in (first, second):
        console.close()
    end = time.monotonic() + PATIENCE
    while True:  # what is closed here is free there a moment later
        try:
            machine.console().close()
        except Refused:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            break


def test_command_line_opens_the_console_of_a_named_vm(machine: Machine) -> None:
    command = [sys.executable, "-m", "ovis.shell", "node", "--socket", str(machine.agent.socket), "console", "guest"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"echo $((6*11))\r")
        seen, end = b"", time.monotonic() + PATIENCE
        while b"66" not in seen:
            assert select.select([process.stdout], [], [], 1)[0] or time.monotonic() < end, seen
            seen += process.stdout.read(1000) or b""
        process.terminate()


def test_screen_speaks_rfb_without_its_password(machine: Machine) -> None:
    screen = machine.console("vnc")
    assert read_until(screen, b"\n") == b"RFB 003.008\n"
    screen.send(b"RFB 003.008\n")
    assert read_until(screen, b"\x01") == b"\x01\x01"  # one way to prove oneself: none
    screen.send(b"\x01")
    assert read_until(screen, b"\0\0\0\0") == b"\0\0\0\0"
    screen.close()


def entered(machine: Machine) -> BlockingTunnel:
    """A client of the screen, through all of RFB's handshake."""
    screen = machine.console("vnc")
    for answer, end in ((b"RFB 003.008\n", b"\n"), (b"\x01", b"\x01"), (b"\x01", b"\0\0\0\0")):
        read_until(screen, end)
        screen.send(answer)
    read_until(screen, b"QEMU")
    return screen


def test_who_is_connected_stays_or_goes_as_the_ticket_says(machine: Machine) -> None:
    screen = entered(machine)
    with machine.agent.client() as node:
        with pytest.raises(RpcError) as refused:
            node.vm.set_ticket(vm_id=ID, password="x", ttl=5, existing_conn_action=VmTicketConflictAction.FAIL)
        assert refused.value.code == 18
        node.vm.set_ticket(vm_id=ID, password="x", ttl=5, existing_conn_action=VmTicketConflictAction.KEEP)
        assert not screen.is_over
        node.vm.set_ticket(vm_id=ID, password="x", ttl=5, existing_conn_action=VmTicketConflictAction.DISCONNECT)
    read_until(screen, b"never said")
    assert (screen.is_over, screen.reason) == (True, "somebody else opens this console")


def test_desktop_is_locked_when_nobody_looks_any_more(machine: Machine) -> None:
    with machine.agent.client() as node:
        node.vm.desktop_login(vm_id=ID, domain="", username="me", password="secret")
    machine.until(lambda stats: stats.session.value == "UserLoggedOn")
    entered(machine).close()
    machine.until(lambda stats: stats.session.value == "Locked")


def test_agent_stops_in_time_with_a_console_open_and_finds_the_guest_again(machine: Machine) -> None:
    console = machine.console()
    console.send(b"\r")
    read_until(console, b"#")
    assert machine.agent.stop() < 2
    read_until(console, b"never said")
    assert console.is_over
    machine.agent.start()
    machine.until(lambda stats: stats.apps_list and stats.guest_ips)


def test_libvirtd_that_restarts_costs_the_connections_and_nothing_else(machine: Machine) -> None:
    console = machine.console()
    (daemon,) = machine.host.processes("libvirtd")
    os.kill(daemon, signal.SIGKILL)
    read_until(console, b"never said")
    assert console.is_over
    machine.host.start_libvirtd()
    machine.until(lambda stats: stats.apps_list and stats.guest_ips)
    console = machine.console()
    console.send(b"echo $((6*9))\r")
    assert b"54" in read_until(console, b"54")
    console.close()


def vnc(machine: Machine, port: int, password: str) -> bool:
    """Whether a client with this password gets in, by the host's own network."""
    program = Path(__file__).with_name("vnc_login.py")
    done = machine.host.exec(["/usr/bin/env", "python3", str(program), str(port), password], check=False, deadline=20)
    return done.returncode == 0


def test_console_password_opens_once_and_for_its_time(machine: Machine) -> None:
    port = machine.stats.display_port
    disconnect = VmTicketConflictAction.DISCONNECT
    assert not vnc(machine, port, "ticket12")
    with machine.agent.client() as node:
        node.vm.set_ticket(vm_id=ID, password="ticket12345", ttl=60, existing_conn_action=disconnect)
        assert not vnc(machine, port, "wrong")
        assert vnc(machine, port, "ticket12")
        end = time.monotonic() + PATIENCE
        while vnc(machine, port, "ticket12"):
            assert time.monotonic() < end, "the password opened more than one connection"
        node.vm.set_ticket(vm_id=ID, password="ticket12", ttl=0, existing_conn_action=disconnect)
        assert not vnc(machine, port, "ticket12")


def test_picture_of_the_screen(machine: Machine) -> None:
    with machine.agent.client() as node:
        picture = node.vm.screenshot(vm_id=ID)
    kind = {"image/png": b"\x89PNG", "image/x-portable-pixmap": b"P6"}[picture.mime_type]
    assert base64.b64decode(picture.data).startswith(kind)


def test_marked_guest_ends_when_it_reboots(machine: Machine) -> None:
    with machine.agent.client() as node:
        node.vm.set_destroy_on_reboot(vm_id=ID)
        machine.agent.kill()
        machine.agent.start()
    with machine.agent.client() as node:
        node.vm.reset(vm_id=ID)
    stats = machine.until(lambda stats: stats.status is VmStatus.DOWN)
    assert stats.exit_reason == 13
