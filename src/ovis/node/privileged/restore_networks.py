"""`ovis-restore-networks`: bring the host's networks to where they belong, before the agent starts.

After a boot these are the saved ones; otherwise a change that nobody ended is taken back. Run as root, as often as you
like. Exit codes: 0 done, 1 not all of it, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ovis.node.errors import NodeError
from ovis.node.network.errors import ChangeRuns
from ovis.node.privileged.network_calls import changer
from ovis.node.privileged.rules import NETWORK_STATE, RESOLVER

log = logging.getLogger(__name__)

CARDS_SECONDS = 30.0
"""Cards of a machine appear while it boots; some need firmware first."""
_BUSY_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="ovis-restore-networks", description="Restore the networks of this host.")
    parser.add_argument("--network-state", type=Path, default=Path(NETWORK_STATE), help="where they are kept")
    parser.add_argument("--resolver", type=Path, default=Path(RESOLVER), help="the file with the DNS servers")
    parser.add_argument(
        "--cards-within", type=float, default=CARDS_SECONDS, metavar="SECONDS", help="wait so long for missing cards"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        undone = _restore(options.network_state, options.resolver, options.cards_within)
    except (NodeError, OSError, ValueError) as error:
        log.error("%s", error)  # noqa: TRY400  # the text says it all
        return 1
    if undone:
        log.info("a change of networks that nobody had ended was taken back")
    return 0


def _restore(state: Path, resolver: Path, cards_within: float) -> bool:
    """Waits for a change that is under way."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            with changer(state, resolver) as opened:
                return opened.restore(cards_within=cards_within)
        except ChangeRuns:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
