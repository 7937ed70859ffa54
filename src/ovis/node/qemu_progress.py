"""How far a qemu-img that was started with -p has come."""

from __future__ import annotations

import re
from collections.abc import Callable

_PERCENT = re.compile(rb"\((\d{1,3})\.(\d\d)/100%\)")


class Progress:
    """Finds `(12.34/100%)` in what qemu-img writes, also when it is torn apart."""

    def __init__(self, on_percent: Callable[[int], None]) -> None:
        self._on_percent = on_percent
        self._rest = b""
        self._last = -1

    def take(self, chunk: bytes) -> bool:
        """Whether it went on since the last call."""
        data = self._rest + chunk
        self._rest = data[-32:]
        found = _PERCENT.findall(data)
        if not found:
            return False
        now = max(int(whole) * 100 + int(part) for whole, part in found)
        if now <= self._last:
            return False
        self._last = now
        self._on_percent(min(now // 100, 100))
        return True
