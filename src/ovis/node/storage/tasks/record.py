"""The record of a task, as it lies on storage: one JSON object, replaced whole at each change.

    {"format": 1, "id": "...", "verb": "copyImage", "tag": "spm", "state": "running",
     "steps": [{"step": "volume.begin", "arguments": {...}}, ...],
     "position": 2, "is_going_back": false,
     "claims": [["01_img_<domain>/<image>", true]],
     "on_crash": "undo", "priority": 0, "notes": {...}, "created": 1700000000.0,
     "code": 0, "message": "..."}

`position` is the step that may have begun: those before it are done (or, going back, those behind it are undone).
Nothing in it is trusted to be code: a step is a name out of a table and values that are checked by type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from ovis.node.storage.claims import Claim
from ovis.node.storage.formats.identifiers import is_identifier
from ovis.node.storage.tasks import steps
from ovis.node.storage.tasks.errors import BadTaskRecord
from ovis.node.storage.tasks.states import State
from ovis.node.storage.tasks.steps import Step

FORMAT = 1
LIMIT = 4 << 20  # bytes; what is longer is no record


class OnCrash(StrEnum):
    """What is done with a task whose process died: the usual way is back."""

    UNDO = "undo"
    GO_ON = "go on"


@dataclass
class Record:
    id: str
    verb: str
    tag: str
    steps: tuple[Step, ...]
    claims: tuple[Claim, ...] = ()
    on_crash: OnCrash = OnCrash.UNDO
    priority: int = 0
    created: float = 0.0
    state: State = State.INIT
    position: int = 0
    is_going_back: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    code: int = 0
    message: str = ""

    @property
    def can_go_back(self) -> bool:
        """Whether no step that cannot be undone has begun."""
        begun = self.steps[: self.position + 1] if self.state is not State.FINISHED else self.steps
        return not any(step.is_final for step in begun)


class _Stored(msgspec.Struct):
    format: int
    id: str
    verb: str
    tag: str
    state: State
    steps: list[dict[str, Any]]
    position: int
    is_going_back: bool
    claims: list[tuple[str, bool]]
    on_crash: OnCrash
    priority: int
    created: float
    notes: dict[str, Any]
    code: int
    message: str


def write(record: Record) -> bytes:
    stored = _Stored(
        format=FORMAT,
        id=record.id,
        verb=record.verb,
        tag=record.tag,
        state=record.state,
        steps=[steps.to_data(step) for step in record.steps],
        position=record.position,
        is_going_back=record.is_going_back,
        claims=[(claim.name, claim.exclusive) for claim in record.claims],
        on_crash=record.on_crash,
        priority=record.priority,
        created=record.created,
        notes=record.notes,
        code=record.code,
        message=record.message,
    )
    return msgspec.json.encode(stored) + b"\n"


def read(data: bytes, *, task_id: str) -> Record:
    """Raises BadTaskRecord."""
    if len(data) > LIMIT:
        raise BadTaskRecord(f"{len(data)} bytes are too many")
    try:
        stored = msgspec.json.decode(data, type=_Stored)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadTaskRecord(str(error)) from error
    if stored.format != FORMAT:
        raise BadTaskRecord(f"its format {stored.format} is not known")
    if stored.id != task_id or not is_identifier(task_id):
        raise BadTaskRecord(f"it calls itself {stored.id[:40]!r} in the place of {task_id[:40]!r}")
    if not 0 <= stored.position < max(len(stored.steps), 1):
        raise BadTaskRecord(f"step {stored.position} of {len(stored.steps)}")
    return Record(
        id=stored.id,
        verb=stored.verb,
        tag=stored.tag,
        steps=tuple(steps.from_data(data) for data in stored.steps),
        claims=tuple(Claim(name, exclusive) for name, exclusive in stored.claims),
        on_crash=stored.on_crash,
        priority=stored.priority,
        created=stored.created,
        state=stored.state,
        position=stored.position,
        is_going_back=stored.is_going_back,
        notes=stored.notes,
        code=stored.code,
        message=stored.message,
    )
