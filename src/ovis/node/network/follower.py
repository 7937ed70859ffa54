"""What goes along with the networks but is no device, address or route: traffic shaping, files for other managers, OVS.

A follower brings its part to a configuration from whatever is there now: after the kernel's part was done, and again
with the former configuration when the change is taken back. So it needs no undo of its own, and may be called twice.
"""

from __future__ import annotations

from typing import Protocol

from ovis.node.network.model import Configuration
from ovis.node.network.state import State


class Follower(Protocol):
    """Runs in a thread of the root helper; `now` is what the kernel has after the change.

    Raises NetworkError or OSError: the change is taken back. It must end within some seconds by itself.
    """

    name: str
    comes_first: bool
    """Whether it also follows before the first device is changed; `now` is what the kernel has then."""

    def follow(self, wanted: Configuration, now: State) -> None: ...
