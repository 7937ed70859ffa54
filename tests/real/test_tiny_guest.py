"""The ground under the other real tests: the tiny guest boots in a virtual host, answers its agent, has an address."""

import ipaddress
import json
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from deploy.guest.tiny_guest import TinyGuest
from deploy.rig.virtual_host import VirtualHost

T = TypeVar("T")
BOOT_SECONDS = 150  # a few seconds on an idle machine


@pytest.fixture(scope="module")
def domain(vhost: VirtualHost, guest_image: TinyGuest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    identity = str(uuid.uuid4())
    template = (Path(__file__).parent / "tiny_domain.xml").read_text()
    xml = tmp_path_factory.mktemp("domain") / "domain.xml"
    xml.write_text(
        template.format(
            name=f"tiny-{identity[:8]}",
            uuid=identity,
            mac="52:54:00:00:00:01",
            bridge=vhost.bridge,
            kernel=guest_image.kernel,
            initrd=guest_image.initrd,
        )
    )
    virsh(vhost, "create", str(xml))
    yield identity
    if identity in virsh(vhost, "list", "--uuid"):
        virsh(vhost, "destroy", identity)


def test_guest_agent_names_the_guest(vhost: VirtualHost, domain: str) -> None:
    answer = eventually(lambda: agent(vhost, domain, "guest-get-osinfo"))
    assert answer["pretty-name"] == "Ovis tiny guest 1"


def test_guest_gets_an_address_of_the_host_by_dhcp(vhost: VirtualHost, domain: str) -> None:
    network = ipaddress.ip_network(vhost.guest_network)

    def address() -> object:
        cards = agent(vhost, domain, "guest-network-get-interfaces") or []
        found = [a["ip-address"] for card in cards for a in card.get("ip-addresses", []) if card["name"] == "eth0"]
        return next((a for a in map(ipaddress.ip_address, found) if a in network), None)

    assert eventually(address)


def test_console_user_is_listed(vhost: VirtualHost, domain: str) -> None:
    users = eventually(lambda: agent(vhost, domain, "guest-get-users"))
    assert [user["user"] for user in users] == ["root"]


def test_guest_agent_sets_a_password(vhost: VirtualHost, domain: str) -> None:
    eventually(lambda: agent(vhost, domain, "guest-get-osinfo"))
    virsh(vhost, "set-user-password", domain, "user", "secret")


def test_power_button_ends_the_guest(vhost: VirtualHost, domain: str) -> None:
    eventually(lambda: agent(vhost, domain, "guest-get-osinfo"))
    virsh(vhost, "shutdown", domain, "--mode", "acpi")
    assert eventually(lambda: domain not in virsh(vhost, "list", "--uuid"))


def virsh(host: VirtualHost, *arguments: str) -> str:
    command = ["virsh", "--quiet", "--connect", host.libvirt_uri, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def agent(host: VirtualHost, domain: str, command: str) -> Any:
    """The agent's answer, or None while it does not answer."""
    line = ["virsh", "--connect", host.libvirt_uri, "qemu-agent-command", domain, json.dumps({"execute": command})]
    done = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)
    return json.loads(done.stdout)["return"] if done.returncode == 0 else None


def eventually(ask: Callable[[], T | None]) -> T:
    """The first answer that is true; fails after BOOT_SECONDS."""
    until = time.monotonic() + BOOT_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < until, f"no answer within {BOOT_SECONDS} s"
        time.sleep(0.2)
    return answer
