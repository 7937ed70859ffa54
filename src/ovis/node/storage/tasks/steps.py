"""Steps: what a task does, as data that another process can read and go on with.

    @step("volume.begin")
    @dataclass(frozen=True)
    class BeginVolume(Step):
        domain: DomainId
        ...
        async def do(self, work: Work) -> None: ...
        async def undo(self, work: Work) -> None: ...

A step is a frozen dataclass of values that JSON can hold (text, numbers, truth values, lists, enums, nested
dataclasses). Its class is found again by its name: the part before the dot names the module that has it (MODULES).

The rules that make a task survive anything:

- `do` may find its work done already, in part or whole: the process may have died after it, before that was noted.
- `undo` may find nothing, a part or all of what `do` makes, and may itself be repeated.
- What a later step needs to know and cannot find out again is told to `work.remember` before anything depends on it.
- A step that cannot be undone says `is_final`: once it has begun, the task only goes on. Where that must not
  happen half-way, it is one atomic act (a rename, one write, one LVM command).
- Both are cancelled when the lease of the host is lost: end what writes, then raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import msgspec

from ovis.node.storage.tasks.errors import BadTaskRecord

if TYPE_CHECKING:
    from ovis.node.storage.storage import Storage

MODULES: Mapping[str, str] = {
    "domain": "ovis.node.storage.domains.steps",
    "image": "ovis.node.storage.images.steps",
    "lease": "ovis.node.storage.leases.steps",
    "merge": "ovis.node.storage.images.merge_steps",
    "pool": "ovis.node.storage.pool.steps",
    "spm": "ovis.node.storage.pool.spm_steps",
    "volume": "ovis.node.storage.volumes.steps",
}
"""Where the steps of a kind are; imported when a record names one."""


class Work(Protocol):
    """What a step has beside its own values."""

    storage: Storage

    @property
    def task_id(self) -> str: ...

    @property
    def notes(self) -> Mapping[str, Any]:
        """What `remember` was told, by this step or an earlier one, before or after a crash."""

    async def remember(self, **facts: Any) -> None:
        """Keep these with the task (values that JSON can hold); durable on return."""

    def progress(self, done: int, total: int) -> None:
        """Bytes, or whatever the step counts."""


class Step:
    step_name: ClassVar[str] = ""
    is_final: ClassVar[bool] = False

    async def do(self, work: Work) -> None:
        raise NotImplementedError

    async def undo(self, work: Work) -> None:
        """Nothing to undo, unless a step says otherwise."""


StepClass = TypeVar("StepClass", bound=type[Step])
_CLASSES: dict[str, type[Step]] = {}


def step(name: str) -> Callable[[StepClass], StepClass]:
    """Give the decorated class its name in records. Never rename one that may lie on storage."""

    def register(found: StepClass) -> StepClass:
        if not is_dataclass(found):
            raise TypeError(f"{found.__name__} is no dataclass")
        if _CLASSES.get(name, found).__qualname__ != found.__qualname__:
            raise ValueError(f"two steps are called {name}")
        found.step_name = name
        _CLASSES[name] = found
        return found

    return register


def to_data(given: Step) -> dict[str, Any]:
    return {"step": given.step_name, "arguments": msgspec.to_builtins(given)}


def from_data(data: Mapping[str, Any]) -> Step:
    """Raises BadTaskRecord for a step that this version does not know or whose values do not fit."""
    name = data.get("step")
    if not isinstance(name, str):
        raise BadTaskRecord("a step without a name")
    if name not in _CLASSES and (module := MODULES.get(name.partition(".")[0])):
        import_module(module)
    found = _CLASSES.get(name)
    if found is None:
        raise BadTaskRecord(f"its step {name} is unknown to this version")
    try:
        return msgspec.convert(data.get("arguments", {}), found)
    except msgspec.ValidationError as error:
        raise BadTaskRecord(f"its step {name}: {error}") from error
