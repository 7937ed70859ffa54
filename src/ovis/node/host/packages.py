"""Versions of the installed software that matters for virtualization.

Debian's package database is a text file and is read directly; RPM's is private to its library, so `rpm` is asked,
with a deadline. Both are read again only when the database has changed.
"""

from __future__ import annotations

import logging
import re
import subprocess
from collections.abc import Mapping

from ovis.client.types import SoftwarePackage, SoftwarePackageInfo
from ovis.node.host.kernel_files import KernelFiles

log = logging.getLogger(__name__)

_DPKG_STATUS = "var/lib/dpkg/status"
_RPM_DATABASES = (
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
)
_RPM_SECONDS = 20.0
# The first of the names that is installed speaks for the software.
_DEBIAN = {
    SoftwarePackage.GLUSTERFS: ("glusterfs-common",),
    SoftwarePackage.GLUSTERFS_CLI: ("glusterfs-cli",),
    SoftwarePackage.GLUSTERFS_FUSE: ("glusterfs-client",),
    SoftwarePackage.GLUSTERFS_SERVER: ("glusterfs-server",),
    SoftwarePackage.LIBRBD1: ("librbd1",),
    SoftwarePackage.LIBVIRT: ("libvirt-daemon", "libvirt-daemon-common", "libvirt0"),
    SoftwarePackage.MOM: ("mom",),
    SoftwarePackage.QEMU_IMG: ("qemu-utils",),
    SoftwarePackage.QEMU_KVM: ("qemu-system-x86", "qemu-system-arm", "qemu-system-ppc", "qemu-system-s390x"),
    SoftwarePackage.SPICE_SERVER: ("libspice-server1",),
}
_RPM = {package: (package.value,) for package in _DEBIAN} | {
    SoftwarePackage.GLUSTERFS_GEO_REPLICATION: ("glusterfs-geo-replication",),
    SoftwarePackage.GLUSTERFS_RDMA: ("glusterfs-rdma",),
    SoftwarePackage.LIBVIRT: ("libvirt", "libvirt-daemon", "libvirt-libs"),
    SoftwarePackage.QEMU_KVM: ("qemu-kvm", "qemu-kvm-core"),
}

_Versions = Mapping[str, SoftwarePackageInfo]


class PackageReader:
    """Keeps the last answer; `read` may run in any thread, one at a time."""

    def __init__(self, files: KernelFiles) -> None:
        self._files = files
        self._known: dict[str, SoftwarePackageInfo] = {}
        self._stamp: tuple[str, int, int] | None = None

    def read(self) -> Mapping[str, SoftwarePackageInfo]:
        """Keyed by SoftwarePackage; empty on a distribution with another kind of packages."""
        database = next((p for p in (_DPKG_STATUS, *_RPM_DATABASES) if self._files.exists(p)), None)
        stamp = self._stamp_of(database)
        if database is None or stamp is None:
            return {}
        if stamp != self._stamp:
            wanted = _DEBIAN if database == _DPKG_STATUS else _RPM
            names = [name for candidates in wanted.values() for name in candidates]
            versions = self._debian(names) if database == _DPKG_STATUS else self._rpm(names)
            if versions is None:
                return self._known
            self._known = _chosen(wanted, versions)
            self._stamp = stamp
        return self._known

    def _stamp_of(self, database: str | None) -> tuple[str, int, int] | None:
        if database is None:
            return None
        try:
            status = (self._files.root / database).stat()
        except OSError:
            return None
        return database, status.st_mtime_ns, status.st_size

    def _debian(self, names: list[str]) -> _Versions:
        wanted = frozenset(names)
        found = {}
        for block in (self._files.text(_DPKG_STATUS) or "").split("\n\n"):
            name = block.partition("\n")[0].removeprefix("Package: ")
            if name in wanted and re.search(r"^Status: \w+ \w+ installed$", block, re.MULTILINE):
                version = re.search(r"^Version: (\S+)$", block, re.MULTILINE)
                if version:
                    found[name] = debian_version(version[1])
        return found

    def _rpm(self, names: list[str]) -> _Versions | None:
        """None when `rpm` does not answer: what was known before stands."""
        command = ["rpm", "--root", str(self._files.root), "-q", "--qf", "%{NAME} %{VERSION} %{RELEASE}\\n", *names]
        try:
            # Exit code 1 only says that one of them is not installed; its line has more words.
            result = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_RPM_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("versions of installed packages stay unknown: %s", error)
            return None
        lines = (line.split() for line in result.stdout.splitlines())
        return {w[0]: SoftwarePackageInfo(version=w[1], release=w[2]) for w in lines if len(w) == 3 and w[0] in names}


def debian_version(text: str) -> SoftwarePackageInfo:
    """`1:7.2+dfsg-7+deb12u7` is version 7.2+dfsg, release 7+deb12u7. Source: deb-version(7)."""
    upstream, _, revision = text.partition(":")[2].rpartition("-") if ":" in text else text.rpartition("-")
    return SoftwarePackageInfo(version=upstream or revision, release=revision if upstream else "")


def _chosen(wanted: Mapping[SoftwarePackage, tuple[str, ...]], versions: _Versions) -> dict[str, SoftwarePackageInfo]:
    found: dict[str, SoftwarePackageInfo] = {}
    for package, names in wanted.items():
        info = next((versions[name] for name in names if name in versions), None)
        if info:
            found[package] = info
    return found
