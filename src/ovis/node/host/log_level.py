"""Changes how much of the log is written while the agent runs."""

from __future__ import annotations

import logging

from ovis.client.types import LoggingLevel
from ovis.node.errors import BadParameter

log = logging.getLogger(__name__)


def set_level(level: LoggingLevel, name: str) -> None:
    """Applies to a logger and those below it; an empty name means all. Raises BadParameter for one that nobody uses."""
    if name and name not in logging.root.manager.loggerDict:
        raise BadParameter("name", f"there is no logger {name!r}; they are named like modules, such as ovis.node.vm")
    logger = logging.getLogger(name or None)
    before = logging.getLevelName(logger.getEffectiveLevel())
    logger.setLevel(_LEVELS[level])
    log.warning("log level of %s is %s now, was %s", name or "everything", level.value, before)


_LEVELS = {
    LoggingLevel.CRITICAL: logging.CRITICAL,
    LoggingLevel.CRIT: logging.CRITICAL,
    LoggingLevel.ERROR: logging.ERROR,
    LoggingLevel.WARNING: logging.WARNING,
    LoggingLevel.WARN: logging.WARNING,
    LoggingLevel.INFO: logging.INFO,
    LoggingLevel.DEBUG: logging.DEBUG,
}
