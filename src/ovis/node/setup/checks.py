"""Looking at a machine before it becomes a host: what is wrong with it, and what to do. Changes nothing."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ovis.node.setup.accounts import NUMBER, USER, known
from ovis.node.setup.declared import LOCK_DRIVERS
from ovis.node.setup.errors import SetupError
from ovis.node.setup.machine import Machine

GIB = 1 << 30


class Level(StrEnum):
    ERROR = "error"
    """It will not work."""
    WARNING = "warning"
    """It works, worse or not always."""


@dataclass(frozen=True)
class Finding:
    level: Level
    about: str
    found: str
    remedy: str


Check = Callable[[Machine], Iterator[Finding]]


def _wrong(about: str, found: str, remedy: str) -> Finding:
    return Finding(Level.ERROR, about, found, remedy)


def _doubtful(about: str, found: str, remedy: str) -> Finding:
    return Finding(Level.WARNING, about, found, remedy)


def virtualization(machine: Machine) -> Iterator[Finding]:
    line = re.search(r"^flags\s*:(.*)$", machine.text("/proc/cpuinfo"), re.MULTILINE)  # of x86 only
    if line and not {"vmx", "svm"} & set(line[1].split()):
        remedy = (
            "switch VT-x or AMD-V on in the firmware; in a VM, let its host pass it on. Until then guests are emulated"
        )
        yield _doubtful("virtualization", "the processor offers none", remedy)
    elif not machine.path("/dev/kvm").exists():
        yield _doubtful("virtualization", "there is no /dev/kvm", "modprobe kvm_intel or kvm_amd; dmesg says why not")


# module -> what is impossible without it
_MODULES = {
    "bridge": "networks of VMs",
    "tun": "networks of VMs",
    "8021q": "VLANs",
    "bonding": "bonds",
    "dm_multipath": "LUNs",
    "nfs": "NFS domains",
    "iscsi_tcp": "iSCSI",
    "loop": "managed volumes from files",
}
_OLDEST_KERNEL = (5, 10)


def kernel(machine: Machine) -> Iterator[Finding]:
    release = machine.text("/proc/sys/kernel/osrelease").strip()
    number = re.match(r"(\d+)\.(\d+)", release)
    if number and (int(number[1]), int(number[2])) < _OLDEST_KERNEL:
        oldest = ".".join(map(str, _OLDEST_KERNEL))
        yield _wrong("kernel", f"it is {release}", f"install {oldest} or later: pidfd and cgroup v2 are used")
    if release and not machine.path("/sys/fs/cgroup/cgroup.controllers").exists():
        remedy = "boot with systemd.unified_cgroup_hierarchy=1: work in the background is not held back without it"
        yield _doubtful("kernel", "control groups are not of version 2", remedy)
    known_modules = "".join(
        machine.text(f"/lib/modules/{release}/{name}") for name in ("modules.dep", "modules.builtin")
    )
    for module, lost in _MODULES.items():
        pattern = rf"/{module.replace('_', '[_-]')}\.ko"
        if release and not machine.path(f"/sys/module/{module}").is_dir() and not re.search(pattern, known_modules):
            yield _doubtful(
                "kernel", f"it has no {module}", f"install the distribution's full kernel; no {lost} until then"
            )


@dataclass(frozen=True)
class Program:
    """`names`: one of them will do. Packages of the Debian and of the Red Hat family."""

    names: tuple[str, ...]
    debian: str
    rpm: str
    is_needed: bool = True


_PROGRAMS = (
    Program(("libvirtd", "virtqemud"), "libvirt-daemon-system", "libvirt-daemon-kvm"),
    Program(("qemu-system-x86_64", "qemu-kvm", "qemu-system-aarch64", "qemu-system-ppc64", "qemu-system-s390x"),
            "qemu-system", "qemu-kvm"),
    Program(("qemu-img",), "qemu-utils", "qemu-img"),
    Program(("sanlock",), "sanlock", "sanlock"),
    Program(("wdmd",), "sanlock", "sanlock"),
    Program(("lvm",), "lvm2", "lvm2"),
    Program(("multipathd",), "multipath-tools", "device-mapper-multipath"),
    Program(("iscsiadm",), "open-iscsi", "iscsi-initiator-utils"),
    Program(("mount.nfs",), "nfs-common", "nfs-utils"),
    Program(("setpriv", "prlimit"), "util-linux", "util-linux"),
    Program(("curl",), "curl", "curl"),
    Program(("dhclient",), "isc-dhcp-client", "dhcp-client", is_needed=False),
    Program(("swtpm",), "swtpm-tools", "swtpm-tools", is_needed=False),
    Program(("virt-v2v",), "virt-v2v", "virt-v2v", is_needed=False),
)  # fmt: skip


def packages(machine: Machine) -> Iterator[Finding]:
    install = "apt install" if machine.path("/var/lib/dpkg/status").exists() else "dnf install"
    of_debian = install.startswith("apt")
    for program in _PROGRAMS:
        if not any(machine.has_program(name) for name in program.names):
            finding = _wrong if program.is_needed else _doubtful
            package = program.debian if of_debian else program.rpm
            yield finding("packages", f"there is no {' or '.join(program.names)}", f"{install} {package}")
    if not any(any(machine.root.glob(pattern)) for pattern in LOCK_DRIVERS):
        package = "libvirt-sanlock" if of_debian else "libvirt-lock-sanlock"
        yield _wrong("packages", "libvirt cannot hold leases of VMs through sanlock", f"{install} {package}")


_UNSYNCHRONIZED = 0x40
_TIMEX_BYTES = 256  # more than the structure has on any architecture
_STATUS_AT = 4 + (-4 % ctypes.sizeof(ctypes.c_long)) + 4 * ctypes.sizeof(ctypes.c_long)


def clock_is_synchronized() -> bool | None:
    """As the kernel was told by whoever sets its clock; None: cannot be told. Source: adjtimex(2), STA_UNSYNC."""
    state = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: only read
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(state) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not int.from_bytes(state.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder) & _UNSYNCHRONIZED


def time(machine: Machine) -> Iterator[Finding]:
    if machine.is_live and clock_is_synchronized() is False:
        remedy = "install and start chrony or systemd-timesyncd: certificates and logs of hosts are compared"
        yield _doubtful("time", "nothing keeps the clock in step", remedy)


_ROOM = {"/var/lib/ovis": GIB, "/var/log": GIB, "/var/lib/libvirt": GIB, "/tmp": GIB // 2}  # noqa: S108


def disk(machine: Machine) -> Iterator[Finding]:
    for name, wanted in _ROOM.items():
        free = machine.free_bytes(name)
        if free < wanted:
            remedy = f"make room: {wanted >> 20} MiB should be free"
            yield _doubtful("disk", f"{free >> 20} MiB are free for {name}", remedy)


def names(machine: Machine) -> Iterator[Finding]:
    name = machine.text("/etc/hostname").strip()
    if not name or name.startswith("localhost"):
        yield _wrong("network", f"the host is called {name or 'nothing'}", "hostnamectl set-hostname NAME")
        return
    for line in machine.text("/etc/hosts").splitlines():
        address, *called = line.partition("#")[0].split() or [""]
        if address.startswith("127.") and {name, name.split(".")[0]} & set(called):
            remedy = "give the name its real address in /etc/hosts: VMs that migrate here would be sent to loopback"
            yield _doubtful("network", f"{name} is {address}", remedy)


# Files in which others say which interfaces are theirs: pattern of paths, where the name stands in them, who reads it.
_OTHERS = (
    ("etc/NetworkManager/system-connections/*", r"^interface-name=(\S+)", "NetworkManager"),
    ("etc/sysconfig/network-scripts/ifcfg-*", r"^DEVICE=\"?([^\s\"]+)", "network scripts"),
    ("etc/systemd/network/*.network", r"^Name=(.+)", "systemd-networkd"),
    ("etc/network/interfaces", r"^\s*iface\s+(\S+)", "ifupdown"),
    ("etc/network/interfaces.d/*", r"^\s*iface\s+(\S+)", "ifupdown"),
)


def networks(machine: Machine) -> Iterator[Finding]:
    folder = machine.path("/var/lib/vdsm/persistence/netconf/nets")
    ours = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for pattern, names_in, who in _OTHERS if ours else ():
        for path in machine.root.glob(pattern):
            inside = machine.text("/" + str(path.relative_to(machine.root)))
            claimed = {word for line in re.findall(names_in, inside, re.MULTILINE) for word in line.split()}
            for name in sorted(ours & claimed):
                yield _wrong("network", f"{who} claims our network {name} in {path}", f"remove it from {path}")


_VDSM = ("/usr/libexec/vdsm/vdsmd", "/usr/share/vdsm/vdsmd", "/usr/lib/systemd/system/vdsmd.service")


def conflicts(machine: Machine) -> Iterator[Finding]:
    if any(machine.path(name).exists() for name in _VDSM):
        yield _wrong("services", "VDSM is installed", "remove it: two agents on one host destroy each other's work")
    there = known(machine)
    for name, number in there.users.items():
        if number == NUMBER and name != USER:
            yield _wrong(
                "services", f"user {NUMBER} is {name}", "remove or renumber it: storage belongs to that number"
            )


_DOMAIN = re.compile(r"s ([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}):")


def other_leases(machine: Machine) -> Iterator[Finding]:
    if not machine.is_live or not machine.path("/run/sanlock/sanlock.sock").exists():
        return
    try:
        lines = machine.run(["sanlock", "client", "status"]).splitlines()
    except SetupError as error:
        yield _wrong("leases", f"sanlock does not answer: {error}", "systemctl status sanlock wdmd")
        return
    for line in lines:
        if line.startswith("s ") and not _DOMAIN.match(line):
            remedy = "nothing, if you know who that is: a host that loses its storage is reset, whoever uses it"
            yield _doubtful("leases", f"somebody else uses sanlock: {line[2:].split(':')[0]}", remedy)
    if not any(os.access(machine.path(name), os.F_OK) for name in ("/dev/watchdog", "/dev/watchdog0")):
        yield _wrong("leases", "there is no watchdog", "modprobe softdog, and name it in /etc/modules-load.d")


CHECKS: tuple[Check, ...] = (
    virtualization, kernel, packages, time, disk, names, networks, conflicts, other_leases,
)  # fmt: skip


def examine(machine: Machine) -> Iterator[Finding]:
    for check in CHECKS:
        yield from check(machine)
