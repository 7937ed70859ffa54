"""Security features of the host's kernel and libvirt that an engine asks about."""

from __future__ import annotations

import re

from ovis.node.host.kernel_files import KernelFiles

_VNC_TLS = re.compile(r"^\s*vnc_tls\s*=\s*(\d)", re.MULTILINE)


def selinux_mode(files: KernelFiles) -> int:
    """1 enforcing, 0 permissive, -1 off. Source: selinuxfs `enforce`."""
    mode = files.number("sys/fs/selinux/enforce")
    return -1 if mode is None else min(mode, 1)


def fips_enabled(files: KernelFiles) -> bool:
    return files.number("proc/sys/crypto/fips_enabled") == 1


def vnc_is_encrypted(files: KernelFiles) -> bool:
    """As libvirt is configured for new VMs; its default is no. Source: qemu.conf, `vnc_tls`."""
    setting = _VNC_TLS.search(files.text("etc/libvirt/qemu.conf") or "")
    return setting is not None and setting[1] == "1"
