"""Which files of the host a domain description may name.

Everything in the description that looks like a path is looked at, wherever it stands: a description can make QEMU,
which may do more than its author, read a file (`sysinfo` of type fwcfg), create one (`log`), or run one (`emulator`).
What is not allowed by a rule here is refused. Links are resolved first, so that none leads out of an allowed place.

A name without a slash at its start would be looked for where QEMU runs, which is `/`: where a path belongs, only a
whole one passes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lxml import etree

from ovis.node.errors import BadParameter
from ovis.node.vm.settings import VmSettings

TEXTS_WITH_PATHS = {"kernel", "initrd", "dtb", "loader", "nvram", "table", "emulator", "backend", "bootloader", "init"}
ATTRIBUTES_WITH_PATHS = {"path", "file", "dir", "evdev", "rendernode", "template"}
FREE_TEXTS = {
    "cmdline", "description", "title", "entry", "serial", "product", "vendor", "wwn", "partition",
    "label", "imagelabel", "baselabel", "initarg", "initenv",
}  # fmt: skip
"""Texts that may begin with a slash and name no file."""
AT_SERVERS = {"name", "query"}
"""Of a disk of the network: what the image is called at its servers, which may begin with a slash."""
MUST_EXIST = {"kernel", "initrd", "dtb", "loader", "table"}
RANDOM_DEVICES = {"/dev/random", "/dev/urandom", "/dev/hwrng"}


@dataclass(frozen=True)
class Mention:
    """A path in a description. `where` says so to the author; `is_disk`: it is what a disk is made of.

    `is_optional`: a medium that may be missing when the VM starts. `connects`: somebody listens there already, and the
    sockets of other VMs, their monitors among them, lie where a VM may make its own.
    """

    path: str
    where: str
    tag: str
    is_disk: bool = False
    is_optional: bool = False
    connects: bool = False


class PathRules:
    """The calls look at the file system and may hang with it: they belong into a thread."""

    def __init__(self, settings: VmSettings) -> None:
        self._allowed = (*settings.allowed_paths, settings.transient_folder)
        self._device_links = settings.device_links
        self._beside = (*settings.firmware_paths, *settings.socket_paths)

    def check(self, mention: Mention, field: str) -> str:
        """The path with links resolved. Raises BadParameter."""
        where = f"{field}: {mention.where}"
        path = mention.path
        if not os.path.isabs(path) or "\0" in path:
            raise BadParameter(where, f"{path!r} is not an absolute path")
        real = os.path.realpath(path)
        places = self._allowed if mention.is_disk or mention.connects else (*self._allowed, *self._beside)
        if not any(_is_below(real, place) for place in places) and not (mention.is_disk and self._is_own(path, real)):
            leads = f", which leads to {real}," if real != path else ""
            raise BadParameter(where, f"{path}{leads} is outside of the places allowed by `vms.allowed_paths`")
        if (mention.is_disk and not mention.is_optional) or mention.tag in MUST_EXIST:
            self._check_exists(path, real, where)
        return real

    def _is_own(self, path: str, real: str) -> bool:
        """A link of the agent's own to a device: a volume of block storage, or a managed one."""
        folder = PurePosixPath(os.path.realpath(os.path.dirname(path)))  # no link to where others can write
        is_own = any(folder.match(pattern) for pattern in self._device_links)
        return is_own and os.path.islink(path) and self.is_block_device(real)

    def is_block_device(self, path: str) -> bool:
        try:
            return stat.S_ISBLK(os.stat(path).st_mode)
        except OSError:
            return False

    def _check_exists(self, path: str, real: str, where: str) -> None:
        try:
            mode = os.stat(real).st_mode
        except FileNotFoundError as error:
            raise BadParameter(where, f"{path}: there is no such file") from error
        except OSError as error:
            raise BadParameter(where, f"{path} cannot be looked at: {error.strerror}") from error
        if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
            raise BadParameter(where, f"{path} is neither a file nor a block device")


def _is_below(real: str, place: Path) -> bool:
    top = os.path.realpath(place)
    return real.startswith(top.rstrip("/") + "/")


def mentions(root: etree._Element) -> Iterator[Mention]:
    """Every path in a description that must pass the rules. Raises BadParameter where text stands beside elements."""
    for element in root.iter():
        if not isinstance(element.tag, str) or _is_free(element):
            continue
        _refuse_mixed(element)
        disk = _disk_of(element)
        for name, value in element.attrib.items():
            if name == "passwd":  # may begin with anything, and is never to be repeated in an error
                continue
            if disk is not None and element.tag == "source" and name in AT_SERVERS and "protocol" in element.attrib:
                continue
            if disk is not None and element.tag == "source" and name in ("file", "dev", "dir"):
                if value:  # engines write an empty drive as file=""
                    where = f"{_label(disk)} {element.tag}/@{name}"
                    yield Mention(str(value), where, "source", is_disk=True, is_optional=_is_optional(element))
            elif str(value).startswith("/") or (value and name in ATTRIBUTES_WITH_PATHS):
                connects = element.get("mode") == "connect" or (element.tag == "host" and name == "socket")
                yield Mention(str(value), f"{_label(element)}/@{name}", element.tag, connects=connects)
        text = (element.text or "").strip()
        is_path = element.tag in TEXTS_WITH_PATHS or (text.startswith("/") and element.tag not in FREE_TEXTS)
        if text and is_path and text not in RANDOM_DEVICES:
            yield Mention(text, _label(element), element.tag)


def _refuse_mixed(element: etree._Element) -> None:
    """libvirt joins all texts of an element, we read the first: they must not differ."""
    if len(element) and any((text or "").strip() for text in (element.text, *(child.tail for child in element))):
        raise BadParameter(_label(element), "holds text beside other elements")


def _is_free(element: etree._Element) -> bool:
    """Not a path of this host: metadata, and the tag under which a guest sees a shared folder. Nor one that a caller
    chose: the place of a lease (lease_places)."""
    parent = element.getparent()
    return any(e.tag == "metadata" for e in (element, *element.iterancestors())) or (
        element.tag == "target" and parent is not None and parent.tag in ("filesystem", "lease")
    )


def _is_optional(source: etree._Element) -> bool:
    return source.get("startupPolicy") == "optional"


def _disk_of(element: etree._Element) -> etree._Element | None:
    return next((e for e in element.iterancestors() if e.tag == "disk"), None)


def _label(element: etree._Element) -> str:
    if element.tag == "disk":
        target = element.find("target")
        return f"disk {target.get('dev', '?') if target is not None else '?'}"
    parent = element.getparent()
    outer = f"{parent.tag}/" if parent is not None and isinstance(parent.tag, str) else ""
    return f"{outer}{element.tag!s}"
