"""virt-v2v: takes a guest of VMware or Xen apart and makes it fit for KVM (drivers, boot loader), in its own process.

It writes into the volumes of a storage domain's folder by their ids (`-o vdsm`) and leaves the OVF beside our record.
The password goes through a file that only the agent's user may read, never through arguments or environment.

Source: virt-v2v(1), virt-v2v-input-vmware(1), virt-v2v-input-xen(1), virt-v2v-output-rhv(1).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovis.client.types import ExternalVmParams, VolumeFormat
from ovis.node import processes
from ovis.node.imports.errors import ConversionFailed, ConverterMissing
from ovis.node.processes import Command, Limits

PROGRAM = "virt-v2v"
LIMITS = Limits(memory=None, files=4096, grace=10.0)  # a virtual machine of its own runs inside, and removes its files
STALL_SECONDS = 24 * 3600.0  # 2.x tells which disk it copies, but no bar without a terminal: a large disk takes hours
OVF_LIMIT = 4 << 20
TMPDIR_LIMIT = 85  # of 107 bytes; "/v2v.XXXXXX/in0" and the like follow
_DISK = re.compile(rb"Copying disk (\d{1,4})/(\d{1,4})")
_PERCENT = re.compile(rb"(\d{1,3})(?:\.\d+)?(?:% \[|/100)")


@dataclass(frozen=True)
class Progress:
    """`disk` counts from 1; 0 while nothing is copied yet."""

    disk: int = 0
    disks: int = 0
    percent: int = 0


@dataclass(frozen=True)
class Conversion:
    """`origin`: the arguments that say where from. `storage`: the domain's folder. `work`: where the OVF goes."""

    origin: Sequence[str]
    wanted: ExternalVmParams
    vm_id: str
    storage: Path
    work: Path
    emulated: bool = False
    """KVM does not work here, whatever /dev/kvm says; virt-v2v would try it for its own virtual machine."""


def is_installed() -> bool:
    return shutil.which(PROGRAM) is not None


def require(what: str) -> None:
    """Raises ConverterMissing."""
    if not is_installed():
        raise ConverterMissing(what)


async def convert(
    conversion: Conversion,
    *,
    on_progress: Callable[[Progress], None],
    on_start: Callable[[int], None],
    stall: float = STALL_SECONDS,
) -> str:
    """The OVF of the converted VM. Raises ConversionFailed: the volumes hold unusable content."""
    command = Command(
        _arguments(conversion),
        limits=LIMITS,
        environment={"LIBGUESTFS_BACKEND": "direct", "HOME": str(conversion.work)}
        | _folders(conversion.work)
        | {name: value for name, value in os.environ.items() if name.startswith(("SUPERMIN_", "LIBGUESTFS_"))}
        | _driver_images(conversion.wanted)
        | ({"LIBGUESTFS_BACKEND_SETTINGS": "force_tcg"} if conversion.emulated else {}),
    )
    output = Output(on_progress)
    try:
        ended = await processes.run(command, seconds=stall, on_output=output.take, on_start=on_start)
    except processes.Stalled as error:
        raise ConversionFailed(str(error)) from error
    if ended.status:
        raise ConversionFailed(f"virt-v2v failed: {_complaint(ended)}")
    return _result(conversion)


@contextlib.contextmanager
def password_file(folder: Path, password: str) -> Iterator[Path]:
    """Only its owner reads it, and it is gone afterwards. `folder` lies in memory (the run folder)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "password"
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(password.encode())
        yield path
    finally:
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()


class Output:
    """Reads what virt-v2v writes: a line for each disk, and bars of `qemu-img` or `nbdcopy` between them."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._rest = b""
        self._now = Progress()

    def take(self, chunk: bytes) -> bool:
        """Whether it went on since the last call."""
        data = self._rest + chunk
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        self._rest = data[end:][-4096:]
        before = self._now
        for line in re.split(rb"[\r\n]", data[:end]):
            self._read(line)
        if self._now == before:
            return bool(end)  # whatever it says, it is alive
        self._on_progress(self._now)
        return True

    def _read(self, line: bytes) -> None:
        if found := _DISK.search(line):
            self._now = Progress(int(found[1]), int(found[2]))
        elif self._now.disk and (percents := _PERCENT.findall(line)):
            percent = min(int(percents[-1]), 100)
            self._now = Progress(self._now.disk, self._now.disks, max(percent, self._now.percent))


def _arguments(conversion: Conversion) -> list[str]:
    wanted = conversion.wanted
    output_format = "qcow2" if wanted.format is VolumeFormat.COW else "raw"
    options = [
        *(f"vdsm-image-uuid={disk.image_id}" for disk in wanted.disks),
        *(f"vdsm-vol-uuid={disk.volume_id}" for disk in wanted.disks),
        f"vdsm-vm-uuid={conversion.vm_id}",
        f"vdsm-ovf-output={conversion.work}",
    ]
    if wanted.qcow2_compat and output_format == "qcow2":
        options.append(f"vdsm-compat={wanted.qcow2_compat}")
    return [
        PROGRAM,
        "--machine-readable",
        *("-o", "vdsm", "-of", output_format, "-oa", "sparse", "-os", str(conversion.storage)),
        *(word for option in options for word in ("-oo", option)),
        *conversion.origin,
    ]


def _complaint(ended: processes.Ended) -> str:
    """What it calls an error, without the advice on reporting bugs that follows."""
    text = ended.errors.decode(errors="replace")
    _, found, after = text.rpartition(f"{PROGRAM}: error: ")
    if not found:
        return ended.complaint
    return " ".join(after.partition("If reporting bugs")[0].split())[:600]


def _folders(work: Path) -> dict[str, str]:
    """Its files lie in our folder, which is removed with the job. But it puts sockets into $TMPDIR, whose paths must be
    short (sockaddr_un); a long one stays with the system's own."""
    large = {"VIRT_V2V_TMPDIR": str(work)}
    return {**large, "TMPDIR": str(work)} if len(os.fsencode(work)) <= TMPDIR_LIMIT else large


def _driver_images(wanted: ExternalVmParams) -> dict[str, str]:
    return {"VIRTIO_WIN": wanted.virtio_iso_path} if wanted.virtio_iso_path else {}


def _result(conversion: Conversion) -> str:
    path = conversion.work / f"{conversion.vm_id}.ovf"
    try:
        data = path.read_bytes()[: OVF_LIMIT + 1]
    except OSError as error:
        raise ConversionFailed(f"virt-v2v left no description: {error.strerror}") from error
    if len(data) > OVF_LIMIT:
        raise ConversionFailed(f"virt-v2v left a description of more than {OVF_LIMIT} bytes")
    return data.decode(errors="replace")
