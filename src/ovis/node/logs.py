"""The agent's log: to stderr (the journal keeps it), a line a message, with the flow id of the call it belongs to."""

from __future__ import annotations

import logging
import sys

import msgspec

from ovis.node import flows

JOURNAL_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def configure(level: str, style: str, *, for_journal: bool) -> None:
    """Set up the root logger. `style`: `text` for people, `json` for machines. Replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines(for_journal=for_journal))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


class TextLines(logging.Formatter):
    """`2026-11-20 10:00:00.123 INFO vm.create [flow] text`; for the journal its priority stands for time and level."""

    def __init__(self, *, for_journal: bool) -> None:
        start = "" if for_journal else "%(asctime)s.%(msecs)03d %(levelname)s "
        super().__init__(f"{start}%(area)s%(flow)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
        self._for_journal = for_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        if not record.message.isprintable():  # names and errors come from callers: none may fake a line of its own
            record.message = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        flow = flows.current()
        record.flow = f" [{flow}]" if flow else ""
        record.area = record.name.removeprefix("ovis.")
        text = super().format(record)
        if not self._for_journal:
            return text
        priority = f"<{JOURNAL_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(priority + line for line in text.splitlines())


class JsonLines(logging.Formatter):
    """An object a line: time (seconds since 1970), level, area, flow, text, and error when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname,
            "area": record.name.removeprefix("ovis."),
            "text": record.getMessage(),
        }
        if flow := flows.current():
            line["flow"] = flow
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
