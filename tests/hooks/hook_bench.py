"""Hooks of the catalogue run as the agent runs them: enabled in a folder, started by the runner, on a golden domain."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from ovis.node.hooks.catalogue import Catalogue
from ovis.node.hooks.hooks import Hooks
from ovis.node.hooks.settings import HookSettings

ROOT = Path(__file__).parents[2]
VM = "11111111-2222-4333-8444-555555555555"
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
_LOADED: list[etree.RelaxNG] = []


class Bench:
    """`calls`: what was asked of the programs that stand in for real ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalogue = Catalogue(ROOT / "hooks")
        self.hooks = Hooks(
            HookSettings(
                folder=folder / "hooks", run_folder=folder / "run", launch_folder=folder / "launch", seconds=60
            )
        )
        self.programs = folder / "bin"
        self.programs.mkdir()

    def enable(self, name: str) -> None:
        self.catalogue.enable(self.hooks.scripts, name)

    def run(self, name: str, point: str, text: str, **properties: str) -> str:
        """Raises HookFailed."""
        self.enable(name)
        return asyncio.run(self.hooks.run(point, text, vm_id=VM, variables=properties))

    def domain(self, name: str, point: str = "before_vm_start", **properties: str) -> etree._Element:
        """The golden domain as the hook leaves it, which libvirt must understand. Raises HookFailed."""
        before = (Path(__file__).parent / "domain.xml").read_text()
        root = etree.fromstring(self.run(name, point, before, **properties).encode())
        _check(root)
        return root

    def device(self, name: str, point: str, text: str, **properties: str) -> etree._Element:
        return etree.fromstring(self.run(name, point, text, **properties).encode())

    def json(self, name: str, point: str, value: Any, **properties: str) -> Any:
        return msgspec.json.decode(self.run(name, point, msgspec.json.encode(value).decode(), **properties))

    def program(self, name: str, text: str = "") -> None:
        """One that writes down how it was called, then does `text`."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.folder}/calls\n{text}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


def _check(root: etree._Element) -> None:
    """By libvirt's own grammar."""
    if not _LOADED:
        _LOADED.append(etree.RelaxNG(etree.parse(SCHEMA)))
    grammar = _LOADED[0]
    assert grammar.validate(root), f"{grammar.error_log}\n{etree.tostring(root).decode()}"
