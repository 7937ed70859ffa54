"""`ovis node setup`: works on the files of this machine, or of a tree, and needs no agent."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ovis.node.setup.changing import Change
from ovis.node.setup.checks import Level, examine
from ovis.node.setup.declared import declared
from ovis.node.setup.errors import SetupError
from ovis.node.setup.machine import Machine
from ovis.node.setup.step import Step

OK, FAILED = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    machine = Machine(options.root.resolve())
    try:
        return int(options.run(options, machine))
    except (SetupError, OSError) as error:
        print(f"ovis node setup: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ovis node setup", description="Look at this machine and make it a host.")
    parser.add_argument(
        "--root", type=Path, default=Path("/"), help="folder with the files of a machine; default: this one"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="look for what is wrong with the machine, and say what to do")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=_check)
    show = commands.add_parser("show", help="what apply would change")
    show.set_defaults(run=_show)
    apply = commands.add_parser("apply", help="configure the host; may be repeated")
    apply.set_defaults(run=_apply)
    undo = commands.add_parser("undo", help="put back what was there before")
    undo.set_defaults(run=_undo)
    for command in (apply, undo):
        services = command.add_mutually_exclusive_group()
        services.add_argument("--apply-services", action="store_true", default=None, dest="services",
                              help="tell services also where systemd does not run")  # fmt: skip
        services.add_argument("--no-services", action="store_false", dest="services", help="only say what to run")
    names = [step.name for step in declared()]
    for command in (show, apply):
        command.add_argument("--name", action="append", default=[], help="a further name or address of this host")
    undo.set_defaults(name=[])
    for command in (show, apply, undo):
        command.add_argument("steps", nargs="*", metavar="STEP", help=f"only these; there are: {', '.join(names)}")
        command.add_argument(
            "--without", action="append", default=[], metavar="STEP", choices=names, help="not this one"
        )
    return parser


def _chosen(options: argparse.Namespace) -> list[Step]:
    steps = declared(options.name)
    unknown = sorted(set(options.steps) - {step.name for step in steps})
    if unknown:
        raise SetupError(f"there is no step {unknown[0]}; there are: {', '.join(step.name for step in steps)}")
    return [s for s in steps if (not options.steps or s.name in options.steps) and s.name not in options.without]


def _check(options: argparse.Namespace, machine: Machine) -> int:
    findings = list(examine(machine))
    if options.json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    for finding in [] if options.json else findings:
        print(f"{finding.level:<8} {finding.about}: {finding.found}\n         remedy: {finding.remedy}")
    if not findings and not options.json:
        print("nothing is wrong")
    return FAILED if any(finding.level is Level.ERROR for finding in findings) else OK


def _show(options: argparse.Namespace, machine: Machine) -> int:
    return OK if Change(machine, print).show(_chosen(options)) else FAILED


def _apply(options: argparse.Namespace, machine: Machine) -> int:
    _insist_on_root(machine)
    return OK if Change(machine, print, options.services).apply(_chosen(options)) else FAILED


def _undo(options: argparse.Namespace, machine: Machine) -> int:
    _insist_on_root(machine)
    return OK if Change(machine, print, options.services).undo(_chosen(options)) else FAILED


def _insist_on_root(machine: Machine) -> None:
    if machine.is_live and os.geteuid():
        raise SetupError("only root can set this machine up; --root FOLDER prepares a tree")
