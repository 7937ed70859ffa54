"""What Host.setKsmTune asks of the root helper, and how its refusals read."""

import asyncio
from typing import Any

import pytest

from ovis.client.types import KsmTuneParams
from ovis.node.host.page_merging import TuningFailed, tune
from ovis.node.privileged.errors import NoHelper
from ovis.node.privileged.page_merging import TunePageMerging
from ovis.node.privileged.protocol import CommandResult


class Root:
    def __init__(self, answer: Exception | CommandResult) -> None:
        self.answer = answer
        self.asked: list[object] = []

    async def call(self, request: Any, **_: object) -> Any:
        self.asked.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_names_are_those_of_the_kernel() -> None:
    root = Root(CommandResult(0))
    asyncio.run(tune(root, KsmTuneParams(run=1, sleep_millisecs_ms=10)))
    assert root.asked == [TunePageMerging(run=1, sleep_millisecs=10)]


@pytest.mark.parametrize(
    "answer",
    [CommandResult(1, errors=b"tee: run: Cannot allocate memory"), FileNotFoundError(2, "x", "ksm"), NoHelper("x")],
)
def test_whatever_fails_is_told_with_the_verbs_own_error(answer: Exception | CommandResult) -> None:
    with pytest.raises(TuningFailed):
        asyncio.run(tune(Root(answer), KsmTuneParams(run=1)))
