"""The command line of a user-mode Linux kernel.

Source: Documentation/virt/uml/user_mode_linux_howto_v2.rst, `linux --help`.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.bed.image import Image
from deploy.bed.settings import BedSettings


@dataclass(frozen=True)
class KernelCommand:
    folder: Path
    """To start it in: its interpreter has a relative path."""
    arguments: list[str]


def command(settings: BedSettings, image: Image, folder: Path, ports: Sequence[str], line: int) -> KernelCommand:
    """`folder` is the bed's own, `line` the number of the file that becomes its serial line."""
    kernel = image.kernel(settings.kernel)
    environment = ["env", f"LD_LIBRARY_PATH={kernel.libraries}"] if kernel.libraries else []
    layer = "" if settings.writes_to_image else f"{folder}/root.cow,"
    arguments = [
        *environment,
        str(kernel.program),
        *kernel.options,
        f"mem={settings.memory_mib}M",
        f"ubd0={layer}{image.disk}",
        *_disks(settings, folder),
        "root=/dev/ubda",
        "rw",
        "init=/sbin/bed-start",
        f"bed.folder={folder}/inside",
        "con=null",
        "con0=null,fd:1",
        "ssl=null",
        f"ssl0=fd:{line}",
        "panic=-1",
        "quiet",
        "loglevel=4",
        "umid=bed",
        f"uml_dir={folder}/",
        *(
            # without gro=1 large segments are dropped and TCP crawls
            f"vec{number}:transport=tap,ifname={port},depth=128,gro=1,mac={_address(port, ports)}"
            for number, port in enumerate(ports)
        ),
    ]
    return KernelCommand(kernel.folder, arguments)


def _disks(settings: BedSettings, folder: Path) -> list[str]:
    arguments = []
    for letter, disk in zip(string.ascii_lowercase[1:], settings.disks, strict=False):
        path = disk if isinstance(disk, Path) else folder / f"disk-{letter}"
        if isinstance(disk, int):
            with path.open("wb") as file:
                file.truncate(disk)
        arguments.append(f"ubd{letter}={path}")
    return arguments


def _address(port: str, ports: Sequence[str]) -> str:
    """Ports are numbered within a switch; several cards of a bed may be plugged into different ones."""
    number = int(port.removeprefix("port"))
    return f"02:be:d0:{ports.index(port):02x}:{number >> 8:02x}:{number & 255:02x}"
