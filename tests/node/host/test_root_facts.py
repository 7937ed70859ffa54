"""What only root may read comes from the helper; tests are root, so a denial is made."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ovis.node.host import hardware, security, storage_adapters
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.root_facts import grant
from ovis.node.privileged.errors import NoHelper
from ovis.node.privileged.host_facts import HostFacts

Tree = Callable[[str], KernelFiles]
FACTS = HostFacts("4C4C4544-0042-3510-8053-b4c04f4a3232", "SN 17", "iqn.2003-01.org.example:one", vnc_tls=True)
FOR_ROOT = ("product_uuid", "product_serial", "initiatorname.iscsi", "qemu.conf")


class Root:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def call(self, request: Any, **_: object) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def files(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> KernelFiles:
    really = os.open

    def denied(path: Any, *rest: Any, **named: Any) -> int:
        if Path(path).name in FOR_ROOT:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really(path, *rest, **named)

    monkeypatch.setattr(os, "open", denied)
    return tree("two-sockets")


def test_facts_stand_in_for_the_files(files: KernelFiles) -> None:
    assert hardware.read(files).system_uuid is None
    assert asyncio.run(grant(files, Root(FACTS)))
    found = hardware.read(files)
    assert (found.system_uuid, found.system_serial_number) == (FACTS.product_uuid.lower(), "SN 17")
    assert storage_adapters.iscsi_initiator(files) == FACTS.initiator
    assert security.vnc_is_encrypted(files)


def test_without_a_helper_they_stay_unknown(files: KernelFiles) -> None:
    assert not asyncio.run(grant(files, Root(NoHelper("x"))))
    assert hardware.read(files).system_uuid is None


def test_what_may_be_read_is_read(tree: Tree) -> None:
    files = tree("two-sockets")
    before = hardware.read(files)
    asyncio.run(grant(files, Root(FACTS)))
    assert hardware.read(files) == before
