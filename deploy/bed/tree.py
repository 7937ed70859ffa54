"""What lies on the root disk of a bed: a Debian of its own, small changes to it, the modules of its kernels."""

import shutil
from pathlib import Path

from deploy.bed.apt import Mirror, command
from deploy.bed.kernels import Kernel

SUITE = "bookworm"
PACKAGES = Path(__file__).with_name("packages.txt")
_SECONDS = 900
_LEFT_OUT = ("man", "doc", "locale", "info")

# Everything else that a bed runs comes from a folder shared at each boot, so that a change of it needs no new image.
_START = """\
#!/bin/sh
/bin/mount -t proc proc /proc
/bin/mount -t tmpfs -o mode=755 tmpfs /run
/bin/mkdir /run/bed
for word in $(/bin/cat /proc/cmdline); do
  case $word in bed.folder=*) /bin/mount -n -t hostfs -o "${word#*=}" none /run/bed ;; esac
done
exec /run/bed/init
"""

# Migration on the bed's own switch; QEMU as root, because the bed's /dev has no kvm and no user of its own for it.
_LIBVIRTD = """
listen_tcp = 1
listen_tls = 0
auth_tcp = "none"
host_uuid_source = "machine-id"
keepalive_interval = 1
keepalive_count = 5
"""
_QEMU = """
user = "root"
group = "root"
security_driver = "none"
namespaces = []
remember_owner = 0
max_core = 0
migration_address = "0.0.0.0"
keepalive_interval = 1
keepalive_count = 5
"""


def bootstrap(mirror: Mirror, root: Path) -> None:
    """Install the packages into `root`. Raises BuildFailed."""
    command(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            f"--include={','.join(packages(PACKAGES.read_text()))}",
            '--aptopt=APT::Install-Recommends "false"',
            '--aptopt=Acquire::Languages "none"',
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _LEFT_OUT),
            "--skip=check/empty",
            SUITE,
            str(root),
            *mirror.sources(SUITE),
        ],
        seconds=_SECONDS,
    )


def packages(text: str) -> list[str]:
    """The names of a list with comments, several on a line."""
    return [name for line in text.splitlines() for name in line.partition("#")[0].split()]


def complete(root: Path, kernels: list[Kernel]) -> None:
    """Make a bed's root of a Debian's."""
    for kernel in kernels:
        shutil.copytree(kernel.modules, root / "lib/modules", dirs_exist_ok=True)
    for modules in (root / "lib/modules").iterdir():
        command(["chroot", str(root), "/sbin/depmod", modules.name])
    start = root / "sbin/bed-start"
    start.write_text(_START)
    start.chmod(0o755)
    (root / "etc/fstab").write_text("")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    for name, text in (("libvirtd.conf", _LIBVIRTD), ("qemu.conf", _QEMU)):
        with (root / "etc/libvirt" / name).open("a") as file:
            file.write(text)
    for path in [*(root / "var/cache/apt/archives").glob("*.deb"), *(root / "var/lib/apt/lists").glob("*_*")]:
        path.unlink()
