"""What is in the guest: the static files of `files/`, busybox, the guest agent with its libraries, kernel modules."""

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.guest import initramfs
from deploy.guest.initramfs import Entry
from deploy.guest.kernel_modules import load_order

FILES = Path(__file__).parent / "files"
KERNEL = "linux-image-cloud-amd64"
PACKAGES = [
    "busybox-static",
    "qemu-guest-agent",
    # libraries of the guest agent; a missing one stops the build and is named
    "libc6",
    "libglib2.0-0",
    "libnuma1",
    "libpcre2-8-0",
    "libudev1",
    "liburing2",
]
MODULES = [
    "virtio_pci",
    "virtio_console",  # the agent's channel
    "virtio_net",
    "virtio_blk",
    "virtio_scsi",
    "sd_mod",
    "sr_mod",
    "isofs",
    "virtio_balloon",
    "virtio_rng",
    "efivarfs",  # UEFI variables, when it boots with such a firmware
    "button",  # the ACPI power button ...
    "evdev",  # ... as an input device that acpid reads
]
LOADER = "lib64/ld-linux-x86-64.so.2"
LIBRARIES = "lib/x86_64-linux-gnu"


class LibraryMissing(Exception):
    def __init__(self, names: list[str]) -> None:
        super().__init__(f"qemu-ga needs {', '.join(names)}: name the Debian packages in {__name__}.PACKAGES")


def entries(root: Path) -> list[Entry]:
    """The guest's files, from a folder into which all packages were unpacked."""
    folders = [
        initramfs.directory(name) for name in ("dev", "proc", "sys", "run", "mnt", "root", "var/log", "etc/qemu")
    ]
    return [
        *folders,
        initramfs.directory("tmp", 0o1777),
        initramfs.character_device("dev/console", 5, 1),
        initramfs.link("var/run", "/run"),
        initramfs.link("sbin/hwclock", "/bin/busybox"),  # where the guest agent looks for it before it sets the clock
        *_static_files(),
        *_busybox(root),
        *_guest_agent(root),
        *_modules(root),
    ]


def kernel(root: Path) -> Path:
    (image,) = (root / "boot").glob("vmlinuz-*")
    return image


def _static_files() -> Iterator[Entry]:
    for path in sorted(FILES.rglob("*")):
        if path.is_file():
            permissions = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
            name = str(path.relative_to(FILES))
            yield initramfs.file(name, path.read_bytes(), 0o600 if name == "etc/shadow" else permissions)


def _busybox(root: Path) -> Iterator[Entry]:
    program = root / "bin/busybox"
    yield initramfs.file("bin/busybox", program.read_bytes(), 0o755)
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, timeout=10, check=True)
    own = {path.name for path in FILES.rglob("*") if path.is_file()}
    for applet in sorted(set(listed.stdout.split()) - own - {"busybox"}):
        yield initramfs.link(f"bin/{applet}", "/bin/busybox")


def _guest_agent(root: Path) -> Iterator[Entry]:
    program = root / "usr/sbin/qemu-ga"
    folders = [root / LIBRARIES, root / "usr" / LIBRARIES]
    # The unpacked loader lists what the program needs, without a look at this machine's own libraries.
    listed = subprocess.run(
        [root / LOADER, "--inhibit-cache", "--library-path", ":".join(map(str, folders)), "--list", program],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    needed = [line.split()[0] for line in listed.stdout.splitlines() if "=>" in line]
    found = {name: path for name in needed for folder in folders if (path := folder / name).exists()}
    if not needed or set(needed) - set(found):
        raise LibraryMissing(sorted(set(needed) - set(found)) or [listed.stderr.strip()])
    yield initramfs.file("usr/sbin/qemu-ga", program.read_bytes(), 0o755)
    yield initramfs.file(LOADER, (root / LOADER).read_bytes(), 0o755)
    for name, path in found.items():
        yield initramfs.file(f"{LIBRARIES}/{name}", path.read_bytes(), 0o755)


def _modules(root: Path) -> Iterator[Entry]:
    order = load_order(root / "lib/modules", MODULES)
    yield initramfs.file("lib/modules/order", "".join(f"{path.name}\n" for path in order).encode())
    for path in order:
        yield initramfs.file(f"lib/modules/{path.name}", path.read_bytes())
