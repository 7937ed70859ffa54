import logging
from collections.abc import Iterator

import pytest

from ovis.client.types import LoggingLevel
from ovis.node.errors import BadParameter
from ovis.node.host.log_level import set_level

NAME = "ovis.node.host"


@pytest.fixture(autouse=True)
def levels_as_before() -> Iterator[None]:
    loggers = [logging.getLogger(), logging.getLogger(NAME)]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def test_one_logger_changes_and_those_below_it() -> None:
    set_level(LoggingLevel.DEBUG, NAME)
    assert logging.getLogger(f"{NAME}.monitor").isEnabledFor(logging.DEBUG)


def test_an_empty_name_means_everything() -> None:
    set_level(LoggingLevel.ERROR, "")
    assert not logging.getLogger("elsewhere").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize("level", list(LoggingLevel))
def test_every_level_of_the_schema_is_known(level: LoggingLevel) -> None:
    set_level(level, NAME)
    assert logging.getLevelName(logging.getLogger(NAME).level).startswith(level.value)


def test_a_name_that_nobody_uses_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"ovis\.nod\b") as refused:
        set_level(LoggingLevel.DEBUG, "ovis.nod")
    assert refused.value.field == "name"


def test_the_change_is_logged_even_when_it_silences(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger(NAME).setLevel(logging.INFO)
    set_level(LoggingLevel.WARNING, NAME)
    assert caplog.messages == [f"log level of {NAME} is WARNING now, was INFO"]
