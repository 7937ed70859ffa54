# ruff: noqa: N801, N802, N803 - the name is libvirt's
import libvirt

def qemuAgentCommand(domain: libvirt.virDomain, cmd: str, timeout: int, flags: int) -> str: ...
