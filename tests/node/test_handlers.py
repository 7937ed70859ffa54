"""What is loaded late answers exactly the verbs that it is listed with."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ovis.node import registry
from ovis.node.handlers import LATE
from ovis.node.registry import HANDLERS, LATE_MODULES


@pytest.mark.parametrize("module", LATE)
def test_late_module_answers_what_is_listed(module: str) -> None:
    import_module(module)
    listed = {f"{name}.{verb}" for name, verbs in LATE[module].items() for verb in verbs}
    assert {name for name, function in registry._LOADED.items() if function.__module__ == module} == listed
    assert not {name for name, function in HANDLERS.items() if function.__module__ == module}


def test_first_call_loads_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_example.py").write_text(
        "from ovis.node.registry import verb\n"
        "@verb('Example.now')\ndef now(node, arguments): return 1\n"
        "@verb('Example.soon')\nasync def soon(node, arguments): return 2\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.late("late_example", ["Example.now", "Example.soon"])
    nothing: Any = None

    async def main() -> list[Any]:
        return [await HANDLERS[f"Example.{name}"](nothing, nothing) for name in ("soon", "now", "soon")]

    try:
        assert "late_example" not in sys.modules
        assert asyncio.run(main()) == [2, 1, 2]
    finally:
        for name in ("Example.now", "Example.soon"):
            del HANDLERS[name], LATE_MODULES[name], registry._LOADED[name]
        del sys.modules["late_example"]
