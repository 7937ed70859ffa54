"""What is configured on a host, in this order; undone in the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from ovis.node.setup.accounts import NUMBER, Accounts
from ovis.node.setup.files import Section, WholeFile
from ovis.node.setup.folders import Folder, Folders
from ovis.node.setup.links import Links
from ovis.node.setup.lvm_filter import lvm_settings
from ovis.node.setup.machine import Machine
from ovis.node.setup.made_certificates import FOLDER as PKI
from ovis.node.setup.made_certificates import MadeCertificates
from ovis.node.setup.step import Step

LOCK_DRIVERS = ("usr/lib/*/libvirt/lock-driver/sanlock.so", "usr/lib*/libvirt/lock-driver/sanlock.so")
# As patterns, because units that are not there are no failure then. VMs do not notice.
_LIBVIRT = ["systemctl", "try-restart", "libvirtd.servic[e]", "virtqemud.servic[e]"]
_UDEV = ["udevadm", "control", "--reload"]
_BOOT_FOLDERS = f"""\
# Folders of the node agent that do not outlive a boot.
d /run/vdsm 0755 {NUMBER} {NUMBER} -
d /run/vdsm/storage 0755 {NUMBER} {NUMBER} -
"""
_MODULES = """\
# What the node agent's helper needs of the kernel and, sandboxed, does not load itself.
tun
bridge
8021q
bonding
dm_multipath
"""


def _ours(name: str) -> str:
    return (files("ovis.node.setup") / "files" / name).read_text(encoding="utf-8")


def _sanlock(machine: Machine) -> str:
    name = machine.text("/etc/hostname").strip()
    lines = ["# One worker for each storage domain that may hang at the same time.", "max_worker_threads = 50"]
    return "\n".join([f"our_host_name = {name}", *lines] if name else lines)


def declared(names: Sequence[str] = ()) -> list[Step]:
    """`names`: under which the host is reached, beside its host name."""
    return [
        Accounts("accounts", "the agent's user, and who shares storage with it"),
        Folders(
            "folders",
            "where the agent keeps its files and mounts storage",
            [
                Folder("/etc/ovis"),
                Folder(PKI, 0o750, NUMBER, NUMBER),
                Folder("/var/lib/ovis"),
                Folder("/var/lib/ovis/node", 0o700, NUMBER, NUMBER),
                Folder("/rhev"),
                Folder("/rhev/data-center", 0o755, NUMBER, NUMBER),
                Folder("/var/lib/vdsm"),
            ],
        ),
        WholeFile(
            "boot-folders",
            "folders below /run, made at each boot",
            "/etc/tmpfiles.d/ovis.conf",
            _BOOT_FOLDERS,
            afterwards=[["systemd-tmpfiles", "--create", "--prefix=/run/vdsm"]],
        ),
        WholeFile(
            "modules",
            "parts of the kernel that are loaded at boot",
            "/etc/modules-load.d/ovis.conf",
            _MODULES,
            starts=[["systemctl", "restart", "systemd-modules-load.service"]],
        ),
        WholeFile(
            "bonding", "no bond0 that nobody asked for", "/etc/modprobe.d/ovis-bonding.conf", _ours("ovis-bonding.conf")
        ),
        WholeFile(
            "udev",
            "volumes of storage domains belong to the agent",
            "/etc/udev/rules.d/57-ovis-storage.rules",
            _ours("57-ovis-storage.rules"),
            afterwards=[_UDEV],
        ),
        WholeFile(
            "multipath",
            "a LUN that lost all its paths fails instead of hanging",
            "/etc/multipath/conf.d/ovis.conf",
            _ours("multipath.conf"),
            afterwards=[["systemctl", "try-reload-or-restart", "multipathd.servic[e]"]],
        ),
        Section(
            "lvm",
            "the host's own LVM leaves LUNs alone",
            "/etc/lvm/lvmlocal.conf",
            lvm_settings,
            refused=r"^\s*devices(/|\s*\{)",
            remedy="unite it with the section in docs/host/setup.md, or leave this step out",
        ),
        Section(
            "sanlock",
            "leases: this host's name among them, and enough workers",
            "/etc/sanlock/sanlock.conf",
            _sanlock,
            refused=r"^\s*(our_host_name|max_worker_threads)\s*=.*",
            remedy="remove that line, or leave this step out",
            # Never restarted here: with leases held that would reset the host. Its next start reads it.
            starts=[["systemctl", "enable", "--now", "wdmd.service", "sanlock.service"]],
        ),
        Section(
            "libvirt-leases",
            "leases of VMs are held by sanlock",
            "/etc/libvirt/qemu.conf",
            'lock_manager = "sanlock"',
            refused=r'^\s*lock_manager\s*=(?!\s*"sanlock").*',
            remedy="remove that line, or leave this step out",
            is_first=True,
            needs=LOCK_DRIVERS,
            package="libvirt's lock driver for sanlock (libvirt-sanlock, libvirt-lock-sanlock)",
            afterwards=[_LIBVIRT],
        ),
        Section(
            "libvirt-sanlock",
            "libvirt takes only leases that a VM's description names",
            "/etc/libvirt/qemu-sanlock.conf",
            "auto_disk_leases = 0\nrequire_lease_for_disks = 0",
            refused=r"^\s*(auto_disk_leases|require_lease_for_disks)\s*=\s*[^0\s].*",
            remedy="remove that line, or leave this step out",
            is_first=True,
            afterwards=[_LIBVIRT],
        ),
        MadeCertificates("certificates", "the agent is reached under TLS", NUMBER, NUMBER, names),
        Links(
            "libvirt-tls",
            "hosts migrate VMs to each other under the same certificates",
            {
                "/etc/pki/CA/cacert.pem": f"{PKI}/ca.pem",
                "/etc/pki/libvirt/servercert.pem": f"{PKI}/node.pem",
                "/etc/pki/libvirt/clientcert.pem": f"{PKI}/node.pem",
                "/etc/pki/libvirt/private/serverkey.pem": f"{PKI}/node-key.pem",
                "/etc/pki/libvirt/private/clientkey.pem": f"{PKI}/node-key.pem",
            },
        ),
    ]
