"""The parts of an API description, as plain immutable values. No I/O.

A type expression is what stands after `type:` in a YAML file: the name of a primitive or of a declared type, `[X]` for
a list of X, `{map: [K, V]}` for a map. It stays in that form here; `expressions.py` takes it apart.
"""

from __future__ import annotations

from typing import Any

import msgspec

TypeExpression = str | list[Any] | dict[str, Any]

PRIMITIVES = frozenset({"string", "int", "uint", "float", "boolean", "json"})
"""`int` and `uint` are 64 bits wide; `json` is any JSON value, for free-form data only."""

ACCESS_LEVELS = {
    "observe": "reads only",
    "operate": "changes the run state of a VM or acts inside its guest",
    "administer": "changes storage, networks, the host, the make-up of VMs, or secrets",
    "peer": "called by the agent of another host during a migration",
}

CONDITIONS = {
    "always": "answers at any time, even while the agent recovers its state",
    "ready": "the agent has recovered its state after a start",
    "vm_exists": "the VM is known to this host, running or ended",
    "vm_running": "the VM has a QEMU process on this host",
    "vm_up": "the VM runs and is not paused",
    "vm_paused": "the VM is paused",
    "guest_agent": "an agent answers inside the guest",
    "pool_connected": "this host is connected to the storage pool",
    "spm": "this host is the storage pool manager",
    "domain_active": "the storage domain is active on this host",
    "volume_prepared": "the volume is prepared for use on this host",
    "connection": "the storage server is connected",
}

REPETITION = {
    "safe": "the same call again leaves the same state and succeeds",
    "refused": "a second call answers an error and changes nothing",
    "again": "every call acts again",
}

SUBJECTS = {
    "vm": "the id of the VM",
    "job": "the id of the job",
    "domain": "the id of the storage domain",
    "none": "nothing, or a constant",
}
"""What stands after the name of an event on the wire."""

SIZE_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
"""Units in which a size may travel; inside it is always bytes."""


class Field(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A parameter, a member of an object, or a result.

    `unit` is the unit inside the code, `wire` how the value travels where that differs: `text` (a number or truth value
    as a string), a size unit, or both. `only` are the values that a text or enum has in this object, which tell it
    from the other members of a union.
    """

    type: TypeExpression
    doc: str
    unit: str = ""
    wire: str = ""
    format: str = ""
    range: tuple[int | float | None, int | float | None] | None = None
    only: list[str] = []
    optional: bool = False
    default: Any = msgspec.UNSET
    since: str = ""
    capability: str = ""
    deprecated: str = ""
    secret: bool = False

    @property
    def is_text(self) -> bool:
        return "text" in self.wire.split()

    @property
    def scale(self) -> int:
        """Bytes in one unit of what travels; 1 where the value travels as it is."""
        return next((SIZE_UNITS[word] for word in self.wire.split() if word in SIZE_UNITS), 1)


class EnumValue(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`label` names a value that travels as a number; such an enum is one of integers throughout."""

    doc: str
    label: str = ""
    since: str = ""
    capability: str = ""


class Type(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A named type. Which members are set depends on `kind`: object fields, enum values, map key and value,
    union any_of, alias of (and format, pattern, range)."""

    kind: str
    doc: str
    since: str = ""
    capability: str = ""
    deprecated: str = ""
    fields: dict[str, Field] = {}
    values: dict[str, EnumValue] = {}
    key: TypeExpression = ""
    value: TypeExpression = ""
    any_of: list[TypeExpression] = []
    of: TypeExpression = ""
    format: str = ""
    pattern: str = ""
    range: tuple[int | float | None, int | float | None] | None = None
    unused: str = ""
    """Why a type that no verb or event reaches is described all the same."""


class Verb(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One call of a class. `wire_result` is what travels as result of a verb that returns nothing: `true` when unset,
    `status` for the object {code: 0, message: Done}, or a constant.

    `unbuilt` stands in published versions only: no agent of that version answered the verb, so its form bound nobody.
    """

    doc: str
    since: str
    access: str
    when: list[str]
    repeat: str
    deadline: float
    params: dict[str, Field] = {}
    result: Field | None = None
    wire_result: Any = None
    errors: list[str] = []
    capability: str = ""
    deprecated: str = ""
    unbuilt: bool = False


class Class(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    doc: str
    verbs: dict[str, Verb] = {}


class Event(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`subject` says what follows the name on the wire: the id of a `vm` or `job`, or `none`.
    A parameter called `no_name` stands for the whole parameter object."""

    doc: str
    since: str
    subject: str
    capability: str = ""
    params: dict[str, Field] = {}


class Error(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`also` are further names that share the number."""

    name: str
    doc: str
    also: list[str] = []
    since: str = ""
    capability: str = ""


class Capability(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Something that was added after the first published version. Clients ask for it by name instead of comparing
    versions; what was added names it as its `capability`."""

    since: str
    doc: str


class Schema(msgspec.Struct, frozen=True, omit_defaults=True):
    """A whole API: every class, type, event and error by name, errors by their number on the wire."""

    classes: dict[str, Class] = {}
    types: dict[str, Type] = {}
    events: dict[str, Event] = {}
    errors: dict[int, Error] = {}
    capabilities: dict[str, Capability] = {}

    def verb(self, method: str) -> Verb | None:
        """The verb called `Class.verb`, or None."""
        class_name, _, verb_name = method.partition(".")
        found = self.classes.get(class_name)
        return found.verbs.get(verb_name) if found else None

    @property
    def verbs(self) -> dict[str, Verb]:
        """Every verb by its name on the wire, `Class.verb`."""
        return {f"{c}.{v}": verb for c, klass in self.classes.items() for v, verb in klass.verbs.items()}
