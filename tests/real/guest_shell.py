"""A shell in a real guest, through its QEMU agent and past ours."""

import base64
import json
import time
from typing import Any

import libvirt
import libvirt_qemu

PATIENCE = 60.0


def run(domain: libvirt.virDomain, script: str) -> str:
    """What the script has printed when it has ended."""
    pid = _ask(domain, "guest-exec", path="/bin/sh", arg=["-c", script], **{"capture-output": True})["pid"]
    end = time.monotonic() + PATIENCE
    while not (state := _ask(domain, "guest-exec-status", pid=pid))["exited"]:
        assert time.monotonic() < end, f"it does not end: {script}"
        time.sleep(0.05)
    return base64.b64decode(state.get("out-data", "")).decode(errors="replace")


def start(domain: libvirt.virDomain, script: str) -> None:
    """Does not wait for its end."""
    _ask(domain, "guest-exec", path="/bin/sh", arg=["-c", script])


def is_there(domain: libvirt.virDomain) -> bool:
    """Whether the agent answers."""
    try:
        libvirt_qemu.qemuAgentCommand(domain, '{"execute": "guest-ping"}', 5, 0)
    except libvirt.libvirtError:
        return False
    return True


def _ask(domain: libvirt.virDomain, command: str, **arguments: object) -> Any:
    asked = json.dumps({"execute": command, "arguments": arguments})
    return json.loads(libvirt_qemu.qemuAgentCommand(domain, asked, 20, 0))["return"]
