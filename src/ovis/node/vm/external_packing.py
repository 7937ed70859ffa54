"""The form in which state of a VM beside its disks travels: as existing hosts pack it, so that each reads the other's.

    tpm     "=0=" + base64(bzip2(xz-compressed tar of the folder's files, names relative to it))
    nvram   "=0=" + base64(bzip2(content of the variables file))

Old hosts left "=0=" and the compression out; that is read too.
"""

from __future__ import annotations

import base64
import bz2
import io
import lzma
import os
import tarfile
from pathlib import PurePosixPath

from ovis.node.vm.external_kinds import BYTES_MOST, FILES_MOST, Kind, Unreadable


def pack(kind: Kind, files: dict[str, bytes]) -> tuple[bytes, str]:
    """The content, equal for equal files, and what travels. UEFI variables are one file, whatever its name."""
    content = next(iter(files.values())) if kind is Kind.NVRAM else _tar(files)
    return content, "=0=" + base64.b64encode(bz2.compress(content)).decode("ascii")


def _tar(files: dict[str, bytes]) -> bytes:
    """Without owners and times."""
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents if str(folder) != "."}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(folders):
            folder = tarfile.TarInfo(f"./{name}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(folder)
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"./{name}")
            entry.mode, entry.size = 0o600, len(data)
            tar.addfile(entry, io.BytesIO(data))
    return lzma.compress(packed.getvalue())


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
