"""The bed by hand.

    python -m deploy.bed build
    python -m deploy.bed run [--services a,b] [--memory MIB] [--disk BYTES] [--kernel stable] -- CMD ...

`run` boots a bed with the project in it (changes to it stay in the bed), runs the command in the project's folder and
ends with its exit code.
"""

import argparse
import sys

from deploy.bed import build, project
from deploy.bed.apt import BuildFailed
from deploy.bed.line import BedEnded, BedNotReady
from deploy.bed.machine import Bed, BedSettings


def main() -> int:
    options = _options()
    try:
        image = build.ensure(say=lambda text: print(text, file=sys.stderr, flush=True))
        if options.action == "build":
            print(image.folder)
            return 0
        services = tuple(name for name in options.services.split(",") if name)
        settings = BedSettings(
            "bed",
            memory_mib=options.memory,
            services=services,
            disks=tuple(options.disk),
            shares=project.shares(),
            kernel=options.kernel,
        )
        with Bed(settings, image) as bed:
            job = bed.begin(options.command, environment=project.ENVIRONMENT, folder=project.ROOT)
            return job.follow(_print, deadline=options.deadline) % 256
    except (BuildFailed, BedNotReady, BedEnded, TimeoutError) as error:
        print(f"bed: {error}", file=sys.stderr)
        return 125


def _print(kind: str, data: bytes) -> None:
    stream = sys.stdout if kind == "out" else sys.stderr
    stream.buffer.write(data)
    stream.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.bed", description=__doc__.partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("build", help="build the image where it is missing")
    run = actions.add_parser("run", help="run a command in a fresh bed")
    run.add_argument("--services", default="udev", help="with commas between them (default: udev)")
    run.add_argument("--memory", type=int, default=1024, metavar="MIB")
    run.add_argument(
        "--disk", type=int, action="append", default=[], metavar="BYTES", help="an empty disk; may be repeated"
    )
    run.add_argument("--kernel", choices=["fast", "stable"])
    run.add_argument("--deadline", type=float, default=600, metavar="SECONDS")
    run.add_argument("command", nargs="+", metavar="-- COMMAND")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
