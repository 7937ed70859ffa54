"""The host's distribution and kernel. Source: os-release(5), Documentation/admin-guide/sysctl/kernel.rst."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from ovis.client.types import OSName, OsVersion
from ovis.node.host.kernel_files import KernelFiles

_FAMILIES = {
    "debian": OSName.DEBIAN,
    "ubuntu": OSName.DEBIAN,
    "fedora": OSName.FEDORA,
    "rhel": OSName.RHEL,
    "centos": OSName.RHEL,
}


@dataclass(frozen=True)
class Kernel:
    """6.1.0-18-amd64 is version 6.1.0, release 18-amd64."""

    version: str
    release: str
    is_realtime: bool


def distribution(files: KernelFiles) -> OsVersion:
    facts = _assignments(files.text("etc/os-release") or files.text("usr/lib/os-release") or "")
    return OsVersion(
        name=_name(facts),
        version=facts.get("VERSION_ID", ""),
        release=facts.get("BUILD_ID", ""),
        pretty_name=facts.get("PRETTY_NAME"),
    )


def kernel(files: KernelFiles) -> Kernel:
    version, _, release = (files.text("proc/sys/kernel/osrelease") or "").partition("-")
    build = files.text("proc/sys/kernel/version") or ""
    # The file is of the kernels that Red Hat patches, the word of those since 6.12.
    realtime = files.truth("sys/kernel/realtime") or bool(re.search(r"\bPREEMPT_RT\b", build))
    return Kernel(version, release, realtime)


def _name(facts: dict[str, str]) -> OSName:
    if facts.get("VARIANT_ID") == "ovirt-node":
        return OSName.O_VIRT_NODE
    for word in [facts.get("ID", ""), *facts.get("ID_LIKE", "").split()]:
        if word in _FAMILIES:
            return _FAMILIES[word]
    return OSName.UNKNOWN


def _assignments(text: str) -> dict[str, str]:
    facts = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.startswith("#"):
            try:
                facts[name.strip()] = "".join(shlex.split(value))
            except ValueError:  # a quote without its end: other lines are still good
                continue
    return facts
