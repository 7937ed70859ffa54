"""State of a VM that QEMU and its helpers keep in files beside the disks: the TPM's contents, and UEFI variables.

How it travels (as existing hosts pack it, so that each can take over what the other has read):

    tpm     "=0=" + base64(bzip2(xz-compressed tar of the folder <swtpm folder>/<VM id>, names relative to it))
    nvram   "=0=" + base64(bzip2(content of the variables file))

Whoever writes these files does not know of the reader. So a copy counts only when nothing about the files (names,
sizes, inodes, times of change) was different after reading from what it was before; and while a VM runs, only when
nothing had changed for `QUIET_SECONDS` before, since one change of the guest may take several writes. With `force` a
copy without that rest is taken when there is none at the end.

The folder's tar is made anew each time and is equal for equal content: owners and times are left out.
"""

from __future__ import annotations

import base64
import bz2
import hashlib
import io
import lzma
import os
import stat
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ovis.node.errors import NodeError
from ovis.node.hypervisor.errors import DeadlineExceeded, NotResponding, ThreadsExhausted
from ovis.node.vm import safe_xml

if TYPE_CHECKING:
    from ovis.node.vm.vm import Vm
    from ovis.node.vm.vms import Vms

QUIET_SECONDS = 1.0
TRY_SECONDS = 10.0
AGAIN_SECONDS = 0.2
DEADLINE = 25.0
BYTES_MOST = 64 << 20  # UEFI variables have 4 MiB at most, a TPM some hundred KiB
FILES_MOST = 100
NOT_COPIED = {".lock"}
"""Of swtpm: says that it runs."""


class Kind(StrEnum):
    TPM = "tpm"
    NVRAM = "nvram"


class ExternalDataFailed(NodeError):
    wire_name = "ExternalDataFailed"

    def __init__(self, vm_id: str, kind: str, why: str) -> None:
        super().__init__(f"the {kind} data of VM {vm_id}: {why}")
        self.vm_id = vm_id
        self.kind = kind


class Unreadable(Exception):
    """The text says what is wrong with the files."""


@dataclass(frozen=True)
class Copy:
    """`data` holds secrets of the guest: never log it."""

    hash: str
    data: str

    def __repr__(self) -> str:
        return f"Copy({self.hash})"


NOTHING = Copy("", "")
"""Of a VM that has no such device."""

Signature = tuple[tuple[str, int, int, int], ...]


async def get(vms: Vms, vm: Vm, kind: Kind, *, force: bool) -> Copy:
    """The state of now; without `force` the copy read last when the state keeps changing. Raises ExternalDataFailed."""
    place = _place(vms, vm, kind)
    if place is None:
        return NOTHING
    rests = not vm.has_qemu
    try:
        copy = await vms.external_reads.run(
            f"read the {kind.value} data", lambda: read(kind, place, rests=rests, force=force), deadline=DEADLINE
        )
    except Unreadable as error:
        known = vm.external_data.get(kind)
        if known is None or force:
            raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
        return known
    except (DeadlineExceeded, ThreadsExhausted, NotResponding) as error:
        raise ExternalDataFailed(vm.id, kind.value, str(error)) from error
    vm.external_data[kind] = copy
    return copy


def read(
    kind: Kind,
    place: Path,
    *,
    rests: bool,
    force: bool,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Copy:
    """Blocks. `rests`: nobody writes, so nothing need be waited for. Raises Unreadable."""
    until = now() + TRY_SECONDS
    whole: bytes | None = None
    while True:
        try:
            before = _signature(place)
            content = _content(kind, place, before)
            is_whole = _signature(place) == before
        except FileNotFoundError:
            if not place.exists():
                raise Unreadable(f"{place} is not there") from None
            is_whole = False  # a file was replaced meanwhile
        except OSError as error:
            raise Unreadable(f"{place} cannot be read: {error.strerror}") from error
        if is_whole:
            whole = content
            if rests or now() - max(changed for *_, changed in before) / 1e9 >= QUIET_SECONDS:
                return _pack(content)
        if now() >= until:
            break
        sleep(AGAIN_SECONDS)
    if force and whole is not None:
        return _pack(whole)
    raise Unreadable("it keeps changing")


def unpack(kind: Kind, data: str) -> dict[str, bytes]:
    """The files of a packed state by their relative names; the variables file has the name "". Raises Unreadable.

    The data comes from outside: names that lead out of the folder, links and devices are refused, sizes are bounded.
    """
    text = "".join(data.split())
    packed = text.startswith("=0=")
    if not packed and text.startswith("="):
        raise Unreadable("it is packed in a way that is not known")
    try:
        content = base64.b64decode(text.removeprefix("=0="), validate=True)
        if packed:
            content = _bounded(bz2.BZ2Decompressor().decompress(content, BYTES_MOST + 1))
    except (ValueError, OSError, EOFError) as error:
        raise Unreadable(f"it is damaged: {error}") from error
    return {"": content} if kind is Kind.NVRAM else _untar(content)


def _place(vms: Vms, vm: Vm, kind: Kind) -> Path | None:
    root = safe_xml.parse(vm.xml, "the VM's description")
    if kind is Kind.NVRAM:
        path = (root.findtext("os/nvram") or "").strip()
        return Path(path) if path else None
    return None if root.find("devices/tpm/backend[@type='emulator']") is None else vms.settings.swtpm_folder / vm.id


def _signature(place: Path) -> Signature:
    """What tells whether anything was changed. Raises OSError, Unreadable."""
    found = []
    for path in [place, *sorted(place.rglob("*"))] if place.is_dir() else [place]:
        if path.name in NOT_COPIED:
            continue
        status = path.lstat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise Unreadable(f"{path} is neither a file nor a folder")
        found.append((str(path.relative_to(place)), status.st_ino, status.st_size, status.st_mtime_ns))
    if len(found) > FILES_MOST or sum(size for _, _, size, _ in found) > BYTES_MOST:
        raise Unreadable(f"{place} is larger than such data is")
    return tuple(found)


def _content(kind: Kind, place: Path, signature: Signature) -> bytes:
    if kind is Kind.NVRAM:
        data = _read_file(place)
        if not data:
            raise Unreadable(f"{place} is empty")
        return data
    names = [name for name, *_ in signature if name != "." and (place / name).is_file()]
    if not names:
        raise Unreadable(f"{place} is empty")
    folder = io.BytesIO()
    with tarfile.open(fileobj=folder, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, *_ in signature:
            path = place / name
            entry = tarfile.TarInfo("." if name == "." else f"./{name}")
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o700
                tar.addfile(entry)
            else:
                data = _read_file(path)
                entry.mode, entry.size = 0o600, len(data)
                tar.addfile(entry, io.BytesIO(data))
    return lzma.compress(folder.getvalue())


def _read_file(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        return file.read(BYTES_MOST)


def _pack(content: bytes) -> Copy:
    return Copy(hashlib.sha256(content).hexdigest(), "=0=" + base64.b64encode(bz2.compress(content)).decode("ascii"))


def _bounded(data: bytes) -> bytes:
    if len(data) > BYTES_MOST:
        raise ValueError("it is larger than such data is")
    return data


def _untar(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        plain = _bounded(lzma.LZMADecompressor().decompress(data, BYTES_MOST + 1))
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            for entry in tar:
                if entry.isdir():
                    continue
                name = os.path.normpath(entry.name)
                if not entry.isfile() or name.startswith(("/", "..")) or len(found) >= FILES_MOST:
                    raise Unreadable(f"it holds {entry.name[:80]!r}, which does not belong there")
                file = tar.extractfile(entry)
                found[name] = file.read() if file is not None else b""
    except (lzma.LZMAError, tarfile.TarError, ValueError, EOFError) as error:
        raise Unreadable(f"it is damaged: {error}") from error
    if not found:
        raise Unreadable("it holds no files")
    return found
