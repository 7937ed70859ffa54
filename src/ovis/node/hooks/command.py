"""`ovis node hooks`: what is installed, switching it, and trying it on a description without any VM.

Works on the files of this host and needs no agent: what is switched counts from the next operation on.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lxml import etree

from ovis.node import config
from ovis.node.hooks.catalogue import Catalogue, Changed, NoSuchHook
from ovis.node.hooks.errors import HookFailed
from ovis.node.hooks.hooks import Hooks
from ovis.node.hooks.points import POINTS, Payload
from ovis.node.hooks.scripts import Scripts
from ovis.node.hooks.settings import HookSettings

OK, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        folder = options.folder or config.load(options.config).hooks.folder
        return int(options.run(options, Scripts(folder), Catalogue(options.catalogue)))
    except (NoSuchHook, Changed, OSError, config.ConfigError, ValueError) as error:
        print(f"ovis node hooks: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ovis node hooks", description="Scripts that run at fixed points of the life of VMs and of this host."
    )
    parser.add_argument("--folder", type=Path, help="where the folders of the points are, if not where the agent looks")
    parser.add_argument("--config", type=Path, help="the agent's configuration file")
    parser.add_argument("--catalogue", type=Path, help="the hooks that can be enabled by their name")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="installed scripts with their checksum, and what else can be enabled")
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(run=_list)
    enable = commands.add_parser("enable", help="let a hook of the catalogue, or an installed script, run")
    enable.add_argument("name", help="of the catalogue, or POINT/SCRIPT")
    enable.add_argument("--force", action="store_true", help="also over a script that was changed")
    enable.set_defaults(run=_enable)
    disable = commands.add_parser("disable", help="keep it from running")
    disable.add_argument("name", help="of the catalogue, or POINT/SCRIPT")
    disable.set_defaults(run=_disable)
    dry = commands.add_parser("dry-run", help="run the scripts of a point on a description, and show what they change")
    dry.add_argument("point", choices=sorted(POINTS), metavar="POINT")
    dry.add_argument("file", type=Path, help="XML or JSON, as the point has it; it is not changed")
    dry.add_argument("--hook", metavar="NAME", help="this one of the catalogue instead of what is installed")
    dry.add_argument("--property", action="append", default=[], metavar="NAME=VALUE", help="a custom property")
    dry.add_argument("--vm", default="00000000-0000-0000-0000-000000000000", help="the VM's id")
    dry.set_defaults(run=_dry_run)
    return parser


def _list(options: argparse.Namespace, scripts: Scripts, catalogue: Catalogue) -> int:
    rows = []
    used = set()
    for script in scripts.installed():
        origin = catalogue.origin(script)
        if origin is not None:
            used.add(origin.name)
        state = "on" if script.is_enabled else "off"
        rows.append([script.point, script.name, state, scripts.checksum(script) or "unreadable"])
    left = [(entry.name, entry.about) for entry in catalogue.entries() if entry.name not in used]
    if options.json:
        names = ("point", "script", "state", "checksum")
        told = {"installed": [dict(zip(names, row, strict=True)) for row in rows], "available": dict(left)}
        print(json.dumps(told, indent=2))
        return OK
    print("\n".join(_table(["POINT", "SCRIPT", "STATE", "MD5"], rows)) if rows else f"nothing in {scripts.folder}")
    if left:
        print("\nIn the catalogue, not enabled:")
        print("\n".join(f"  {name:<20} {about}" for name, about in left))
    return OK


def _enable(options: argparse.Namespace, scripts: Scripts, catalogue: Catalogue) -> int:
    for path in catalogue.enable(scripts, options.name, force=options.force):
        print(f"on   {path}")
    return OK


def _disable(options: argparse.Namespace, scripts: Scripts, catalogue: Catalogue) -> int:
    for path in catalogue.disable(scripts, options.name):
        print(f"off  {path}")
    return OK


def _dry_run(options: argparse.Namespace, scripts: Scripts, catalogue: Catalogue) -> int:
    before = options.file.read_text(encoding="utf-8")
    point = POINTS[options.point]
    with tempfile.TemporaryDirectory() as place:
        folder = scripts.folder
        if options.hook:
            folder = Path(place) / "hooks"
            entry = catalogue.entry(options.hook)
            if entry is None or options.point not in entry.scripts:
                raise NoSuchHook(options.hook, f"in the catalogue that runs at {options.point}")
            catalogue.enable(Scripts(folder), options.hook)
        settings = HookSettings(folder=folder, run_folder=Path(place) / "run", launch_folder=Path(place) / "launch")
        os.makedirs(settings.launch_folder / options.vm)
        hooks = Hooks(settings)
        if not hooks.has(options.point):
            print(f"nothing is installed at {options.point}")
            return OK
        try:
            after = asyncio.run(
                hooks.run(options.point, before, vm_id=options.vm, variables=_properties(options.property))
            )  # fmt: skip
        except HookFailed as error:
            print(error, file=sys.stderr)
            return FAILED
    for line in _difference(_lines(before, point.payload), _lines(after, point.payload)):
        print(line)
    return OK


def _properties(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"--property {text}: NAME=VALUE is wanted")
        found[name] = value
    return found


def _lines(text: str, payload: Payload) -> list[str]:
    """In a form that does not depend on how somebody writes it."""
    if payload is Payload.JSON:
        return json.dumps(json.loads(text), indent=2, sort_keys=True).splitlines()
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True)
    try:
        return etree.tostring(
            etree.fromstring(text.encode(), parser), pretty_print=True, encoding="unicode"
        ).splitlines()
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not well-formed XML: {error}") from error


def _difference(before: list[str], after: list[str]) -> list[str]:
    return list(difflib.unified_diff(before, after, "before", "after", lineterm="", n=2)) or ["nothing was changed"]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
