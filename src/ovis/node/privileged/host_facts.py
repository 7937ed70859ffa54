"""The few facts of a host that only root may read, and no more of the files in which they stand."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from ovis.node.privileged.protocol import Request
from ovis.node.privileged.rules import Rules
from ovis.node.privileged.work import Work

_LARGEST = 1 << 20
_INITIATOR = re.compile(r"^\s*InitiatorName\s*=\s*([^\s#]+)", re.MULTILINE)
_VNC_TLS = re.compile(r"^\s*vnc_tls\s*=\s*([01])\s*(?:#.*)?$", re.MULTILINE)


class HostFacts(Struct, frozen=True):
    """Empty or None: it is not there. `product_uuid`, `product_serial`: of the firmware, as the kernel has them.

    `initiator`: the iSCSI name of this host. `vnc_tls`: as libvirt is configured for new VMs.
    """

    product_uuid: str = ""
    product_serial: str = ""
    initiator: str = ""
    vnc_tls: bool | None = None


class ReadHostFacts(Request[HostFacts], frozen=True, kw_only=True):
    answer: ClassVar[type] = HostFacts
    seconds: ClassVar[float] = 20


async def read_host_facts(request: ReadHostFacts, work: Work) -> HostFacts:
    return await asyncio.to_thread(_read, work.rules)


def _read(rules: Rules) -> HostFacts:
    firmware, etc = Path(rules.sysfs) / "class/dmi/id", Path(rules.etc)
    initiator = _INITIATOR.search(_text(etc / "iscsi/initiatorname.iscsi"))
    tls = _VNC_TLS.search(_text(etc / "libvirt/qemu.conf"))  # it may hold passwords
    return HostFacts(
        product_uuid=_text(firmware / "product_uuid").strip(),
        product_serial=_text(firmware / "product_serial").strip(),
        initiator=initiator[1] if initiator else "",
        vnc_tls=tls[1] == "1" if tls else None,
    )


def _text(file: Path) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_LARGEST)
    except OSError:
        return ""
