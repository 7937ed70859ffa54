"""`ovis node certificate`: works on the files of this host, without agent or engine, whatever has expired."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ovis.node import config
from ovis.node.certificates.keeper import now
from ovis.wire.certificates import CertificateProblem
from ovis.wire.renewal import NoAuthority, State, Status, renew, status, take_own_authority

OK, FAILED = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        folder = options.folder or config.load(options.config).tls.folder
        return int(options.run(options, folder))
    except NoAuthority as error:
        print(
            f"ovis node certificate: {error}. Let whoever signed them sign again; or, where that is not possible, "
            "`ovis node certificate renew --own-authority` makes an authority on this host",
            file=sys.stderr,
        )
    except (CertificateProblem, config.ConfigError, OSError, ValueError) as error:
        print(f"ovis node certificate: {error}", file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ovis node certificate", description="The certificates of this host.")
    parser.add_argument("--folder", type=Path, help="where they are, if not where the agent looks")
    parser.add_argument("--config", type=Path, help="the agent's configuration file")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="until when they are valid, and for which names")
    show.add_argument("--json", action="store_true", help="for programs")
    show.set_defaults(run=_show)
    renewing = commands.add_parser("renew", help="make again those that are due; the agent uses them at once")
    renewing.add_argument("--all", action="store_true", help="also those of node and administrator that are not due")
    renewing.add_argument("--own-authority", action="store_true", help="sign here from now on, whoever signed before")
    renewing.add_argument("--name", action="append", default=[], help="a further name or address (repeatable)")
    renewing.set_defaults(run=_renew)
    return parser


def _show(options: argparse.Namespace, folder: Path) -> int:
    found = status(folder, now())
    if options.json:
        print(json.dumps([_as_json(one) for one in found], indent=2))
    for one in [] if options.json else found:
        print(f"{one.path}: {one.state}")
        print(f"    {one.subject}")
        if one.names:
            print(f"    for {', '.join(one.names)}")
        print(f"    from {one.begin:%Y-%m-%d} until {one.end:%Y-%m-%d}, renewed from {one.renewal:%Y-%m-%d} on")
    if found and not options.json:
        here = (folder / "ca-key.pem").exists()
        print(f"signed {'on this host' if here else 'elsewhere: there is no ca-key.pem'}")
    if not found:
        print(f"there are none in {folder}; `ovis node setup apply certificates` makes them", file=sys.stderr)
    return OK if found and all(one.state is State.GOOD for one in found) else FAILED


def _as_json(one: Status) -> dict[str, object]:
    return {
        "path": str(one.path),
        "subject": one.subject,
        "names": one.names,
        "begin": one.begin.isoformat(),
        "end": one.end.isoformat(),
        "renewal": one.renewal.isoformat(),
        "state": one.state,
    }


def _renew(options: argparse.Namespace, folder: Path) -> int:
    if options.own_authority:
        take_own_authority(folder, socket.gethostname(), now())
    written = renew(folder, now(), everything=options.all, names=options.name)
    for path in written:
        print(f"renewed {path}")
    if not written:
        print("nothing is due")
    return OK
