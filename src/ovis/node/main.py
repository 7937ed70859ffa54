"""`ovisd`: read the configuration, serve until told to stop, leave the VMs alone.

    ovisd [--config FILE] [--check]

Exit codes: 0 stopped as told, 1 failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ovis import __version__
from ovis.node import config as configuration
from ovis.node import logs, systemd
from ovis.node.config import Config, ConfigError
from ovis.node.errors import NodeError
from ovis.node.instance import AlreadyRunning

log = logging.getLogger(__name__)

FILES = 65536


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    options = _options(arguments)
    try:
        config = configuration.load(options.config)
    except ConfigError as error:
        print(f"ovisd: {error}", file=sys.stderr)
        return 2
    if options.check:
        print("ovisd: the configuration is good")
        return 0
    logs.configure(config.log.level, config.log.format, for_journal=systemd.runs_under_systemd())
    _allow_many_files()
    try:
        _run(config)
    except (AlreadyRunning, NodeError, OSError) as error:
        log.error("cannot start: %s", error)  # noqa: TRY400  # the text says it all
        return 1
    return 0


@dataclass(frozen=True)
class Options:
    config: Path | None = None
    check: bool = False


def _options(arguments: Sequence[str] | None) -> Options:
    match list(sys.argv[1:] if arguments is None else arguments):
        # The command lines of a service. argparse would stay in its memory for nothing: 0.4 MB.
        case []:
            return Options()
        case ["--config", file] if not file.startswith("-"):
            return Options(Path(file))
        case other:
            return _parsed(other)


def _parsed(arguments: Sequence[str]) -> Options:
    import argparse

    parser = argparse.ArgumentParser(prog="ovisd", description="The Ovis node agent.")
    parser.add_argument("--config", type=Path, help=f"configuration file (default {configuration.DEFAULT_FILE})")
    parser.add_argument(
        "--check", action="store_true", help="read the configuration, say what is wrong with it, and end"
    )
    parser.add_argument("--version", action="version", version=f"ovisd {__version__}")
    return Options(**vars(parser.parse_args(arguments)))


def _allow_many_files() -> None:
    """Each VM with an oVirt guest agent takes two; the usual limit of 1024 is for programs that use select()."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run(config: Config) -> None:
    try:
        import uvloop
    except ImportError:
        log.info("uvloop is not installed: plain asyncio serves, at about twice the CPU per call")
        asyncio.run(_until_stopped(config))
    else:
        uvloop.run(_until_stopped(config))


async def _until_stopped(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    from ovis.node.daemon import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(config, stop)


if __name__ == "__main__":
    sys.exit(main())
