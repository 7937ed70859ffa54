"""Unions that mix objects with other values, in a form that Python types can express.

msgspec tells neither two objects apart nor an object that is read by a hook from a text. So `VmInfo: [VmDefinition,
UUID, VmShortStatus]` becomes `VmInfo: [VmInfoObject, UUID]` with `VmInfoObject: [VmDefinition, VmShortStatus]`, and the
codec reads both. Only the Python that is made changes, nothing that travels.
"""

from __future__ import annotations

import msgspec

from ovis.schema import Schema, shapes
from ovis.schema.model import Type, TypeExpression


def separated(schema: Schema) -> Schema:
    """The schema with the objects of each mixed union in a union of their own."""
    types: dict[str, Type] = {}
    for name, declared in schema.types.items():
        objects, others = _parts(schema, declared)
        if len(objects) < 2 or not others:
            types[name] = declared
            continue
        of_objects = f"{name}Object"
        types[of_objects] = msgspec.structs.replace(declared, any_of=objects)
        types[name] = msgspec.structs.replace(declared, any_of=[of_objects, *others])
    return msgspec.structs.replace(schema, types=types)


def _parts(schema: Schema, declared: Type) -> tuple[list[TypeExpression], list[TypeExpression]]:
    objects = [m for m in declared.any_of if shapes.kind(schema, m) in ("object", "union")]
    return objects, [m for m in declared.any_of if m not in objects]
