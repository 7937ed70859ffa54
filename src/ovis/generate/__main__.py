"""`python -m ovis.generate WHAT`: make something from the schema of the node API.

check       read the schema and apply every rule to it; compare it with the published versions
python      the committed Python code: types, codec, clients, the precompiled schema
docs        the HTML reference (--out DIR)
coverage    how many verbs the agent implements
publish     keep the schema as it is now as a published version (--version N)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ovis.generate import tasks


def main() -> int:
    """Exit code 0 when done, 1 when a check failed, 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m ovis.generate", description=__doc__, formatter_class=_AsWritten)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("check")
    what.add_parser("python")
    what.add_parser("coverage")
    what.add_parser("docs").add_argument("--out", type=Path, required=True)
    what.add_parser("publish").add_argument("--version", type=int, required=True)
    arguments = parser.parse_args()
    match arguments.what:
        case "check":
            return tasks.check()
        case "python":
            return tasks.write_python()
        case "coverage":
            return tasks.coverage()
        case "docs":
            return tasks.write_docs(arguments.out)
        case _:
            return tasks.publish(arguments.version)


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """The text above has its lines where they belong."""


if __name__ == "__main__":
    sys.exit(main())
