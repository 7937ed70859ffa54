"""What a subscription gives: events, and marks where some were lost."""

from __future__ import annotations

from ovis.wire.events import BadPattern, Event, Lost

__all__ = ["BadPattern", "Event", "Lost"]
