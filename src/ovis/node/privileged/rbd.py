"""Images of Ceph as block devices, by rbd(8) and the kernel's driver.

    rbd --conf FILE --keyring FILE --id USER map --image POOL[/NAMESPACE]/IMAGE  ─> /dev/rbdN
    /sys/bus/rbd/devices/N/{pool, pool_ns, name, current_snap}                    what is mapped

Configuration and key are files without a name, in memory: they are in no argument and on no disk, and a killed helper
leaves none behind. The kernel keeps the key of a mapped image in its own keyring.
"""

from __future__ import annotations

import asyncio
import errno
import re
import shutil
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from ovis.node.privileged import commands
from ovis.node.privileged.commands import memory_file
from ovis.node.privileged.devices import hand_over
from ovis.node.privileged.errors import Refused
from ovis.node.privileged.protocol import CommandResult, Request, Secret
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.work import Work

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_MONITOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_DEVICE = re.compile(r"/dev/rbd\d+")
_NO_SNAPSHOT = "-"


class RbdImage(Struct, frozen=True):
    pool: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.pool, self.namespace, self.name) if part)


class MapRbd(Request[CommandResult], frozen=True, kw_only=True):
    """The output is the device of the image; the one that it has already. It belongs to the agent's user.

    `monitors`: host or host:port. `keyring`: the text of a keyring file, or the key alone; None: the file that is in
    /etc/ceph for this user. FileNotFoundError of "rbd": it is not installed.
    """

    seconds: ClassVar[float] = 120

    image: RbdImage
    monitors: list[str]
    user: str
    keyring: Secret | None = None
    is_read_only: bool = False


class UnmapRbd(Request[CommandResult], frozen=True, kw_only=True):
    """Not mapped: status 0. In use: another status, and it stays."""

    image: RbdImage


async def map_rbd(request: MapRbd, work: Work) -> CommandResult:
    _check(request)
    device = await asyncio.to_thread(_find, request.image, work.rules)
    if device is None:
        mapped = await _map(request, work)
        if not mapped.ok:
            return mapped
        device = await asyncio.to_thread(_find, request.image, work.rules)
    if device is None:
        raise FileNotFoundError(errno.ENOENT, "no such image is mapped", str(request.image))
    await asyncio.to_thread(hand_over, device, work.rules)
    return CommandResult(0, device.encode())


async def unmap_rbd(request: UnmapRbd, work: Work) -> CommandResult:
    _check_image(request.image)
    device = await asyncio.to_thread(_find, request.image, work.rules)
    return CommandResult(0) if device is None else await work.run(_program(), "unmap", device)


async def _map(request: MapRbd, work: Work) -> CommandResult:
    program = _program()
    configuration = f"[global]\nmon_host = {','.join(request.monitors)}\n".encode()
    keyring = b"" if request.keyring is None else _keyring(request.user, request.keyring.text)
    with memory_file(configuration) as first, memory_file(keyring) as second:
        words = [program, "--conf", f"/proc/self/fd/{first}"]
        if keyring:
            words += ["--keyring", f"/proc/self/fd/{second}"]
        words += ["--id", request.user, "map", "--image", str(request.image)]
        if request.is_read_only:
            words.append("--read-only")
        return await work.run(*words, descriptors=(first, second))


def _program() -> str:
    if shutil.which("rbd", path=commands.ENVIRONMENT["PATH"]) is None:
        raise FileNotFoundError(errno.ENOENT, "not installed", "rbd")
    return "rbd"


def _keyring(user: str, text: str) -> bytes:
    if not text.isascii() or "\0" in text:
        raise Refused("the keyring of Ceph", "it is no text of ASCII")
    return (text if text.lstrip().startswith("[") else f"[client.{user}]\n\tkey = {text.strip()}\n").encode()


def _find(image: RbdImage, rules: Rules) -> str | None:
    folder = Path(rules.sysfs) / "bus/rbd/devices"
    for found in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _mapped(found) == (image.pool, image.namespace, image.name, _NO_SNAPSHOT):
            device = f"/dev/rbd{found.name}"
            if _DEVICE.fullmatch(device):
                return device
    return None


def _mapped(found: Path) -> tuple[str, ...]:
    def text(name: str) -> str:
        try:
            return (found / name).read_text(encoding="utf-8").strip()
        except OSError:  # it went this moment; kernels before 5.0 know no namespaces
            return ""

    return text("pool"), text("pool_ns"), text("name"), text("current_snap")


def _check(request: MapRbd) -> None:
    _check_image(request.image)
    if not _NAME.fullmatch(request.user):
        raise Refused(f"the user {request.user!r} of Ceph", "this is no name")
    if not request.monitors or not all(_MONITOR.fullmatch(monitor) for monitor in request.monitors):
        raise Refused(f"the monitors {request.monitors} of Ceph", "each must be host or host:port")


def _check_image(image: RbdImage) -> None:
    names = [image.pool, image.name, *([image.namespace] if image.namespace else [])]
    if not all(_NAME.fullmatch(name) for name in names):
        raise Refused(f"the image {image} of Ceph", "these are no names")
