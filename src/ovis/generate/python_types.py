"""Writes `ovis/client/types.py`: every type of the schema as a Python class, alias or enum."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from msgspec import UNSET

from ovis.generate.annotations import Annotations
from ovis.schema import expressions, naming
from ovis.schema.model import Field, Schema, Type

HEADER = '''\
"""Types of the node API. Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.

Sizes are bytes and times seconds, whatever travels on the wire; another unit is part of the name. `None` in an optional
member means that it is absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from msgspec import Meta, Struct, field

from ovis.client.choices import NumberChoice, TextChoice
from ovis.client.wire_values import HoldsAnyMember

UInt: TypeAlias = Annotated[int, Meta(ge=0)]
'''


def write(schema: Schema) -> str:
    """The text of the module."""
    annotations = Annotations(schema)
    chunks = [HEADER]
    for name, declared in schema.types.items():
        if declared.kind == "enum":
            chunks.append(_enum(name, declared))
    for name in _unions_bases_first(annotations):
        chunks.append(_union(name, schema.types[name], annotations))
    for name, declared in schema.types.items():
        if declared.kind == "object":
            chunks.append(_object(name, declared, annotations))
    aliases = [_alias(name, declared, annotations) for name, declared in _aliases_in_order(schema, annotations)]
    return "\n\n".join([*chunks, "".join(aliases)])


def comment(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 116, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ") + "\n"


def docstring(text: str, indent: str = "    ") -> str:
    body = textwrap.fill(text.replace("\\", "\\\\").replace('"""', "'''"), 112)
    return textwrap.indent(f'"""{body}"""\n' if "\n" not in body else f'"""{body}\n"""\n', indent)


def _enum(name: str, declared: Type) -> str:
    is_integer = any(value.label for value in declared.values.values())
    text = f"class {name}({'NumberChoice' if is_integer else 'TextChoice'}):\n{docstring(declared.doc)}\n"
    seen: set[str] = set()
    for value, spec in declared.values.items():
        member = naming.constant(spec.label or value)
        while member in seen:  # `active` and `Active` may both travel
            member += "_"
        seen.add(member)
        text += f"    {member} = {value if is_integer else repr(value)}\n" + comment(spec.doc, "    ")
    return text


def _union(name: str, declared: Type, annotations: Annotations) -> str:
    bases = ", ".join(annotations.unions_of(name))
    return f"class {name}{f'({bases})' if bases else ''}:\n{docstring(declared.doc)}\n    __slots__ = ()\n"


def _unions_bases_first(annotations: Annotations) -> Iterator[str]:
    waiting = [name for name in annotations.schema.types if annotations.is_object_union(name)]
    done: set[str] = set()
    while waiting:
        name = next(n for n in waiting if set(annotations.unions_of(n)) <= done)
        waiting.remove(name)
        done.add(name)
        yield name


def _object(name: str, declared: Type, annotations: Annotations) -> str:
    bases = ", ".join(["Struct", *annotations.unions_of(name), "kw_only=True", "frozen=True", "omit_defaults=True"])
    text = f"class {name}({bases}):\n{docstring(declared.doc)}\n"
    return text + "".join(members(declared.fields, annotations))


def members(fields: dict[str, Field], annotations: Annotations) -> Iterator[str]:
    """The lines that declare the fields of a class."""
    for wire_name, spec in fields.items():
        name = naming.attribute(wire_name, spec)
        unit = f" [{spec.unit}]" if spec.unit else ""
        yield comment(spec.doc + unit, "    ")
        yield f"    {name}: {_annotation(spec, annotations)}{_default(name, wire_name, spec, annotations)}\n"


def has_default(spec: Field) -> bool:
    return spec.default is not UNSET and spec.default is not None


def _annotation(spec: Field, annotations: Annotations) -> str:
    base = annotations.of_field(spec)
    return f"{base} | None" if spec.optional and not has_default(spec) else base


def _default(name: str, wire_name: str, spec: Field, annotations: Annotations) -> str:
    options = [f'name="{wire_name}"'] if name != wire_name else []
    if has_default(spec):
        # a factory, since msgspec leaves out what equals a plain default and clients expect to see it
        options.append(f"default_factory=lambda: {default_value(spec, annotations)}")
    elif spec.optional:
        options.append("default=None")
    if options == ["default=None"]:
        return " = None"
    return f" = field({', '.join(options)})" if options else ""


def default_value(spec: Field, annotations: Annotations) -> str:
    """The default as Python text; that of an enum as its member."""
    if isinstance(spec.type, str) and annotations.kind(spec.type) == "enum":
        return f"{spec.type}({spec.default!r})"
    return repr(spec.default)


def _aliases_in_order(schema: Schema, annotations: Annotations) -> Iterator[tuple[str, Type]]:
    """Aliases are plain assignments: each must come after those that it names."""
    waiting = {
        name: declared
        for name, declared in schema.types.items()
        if declared.kind in ("map", "alias") or (declared.kind == "union" and not annotations.is_object_union(name))
    }
    while waiting:
        name = next(n for n, t in waiting.items() if not (_mentions(t) & waiting.keys() - {n}))
        yield name, waiting.pop(name)


def _mentions(declared: Type) -> set[str]:
    return {n for e in expressions.of_type(declared) for n in expressions.names(e)}


def _alias(name: str, declared: Type, annotations: Annotations) -> str:
    match declared.kind:
        case "map":
            target = f"dict[{annotations.python(declared.key)}, {annotations.python(declared.value)}]"
        case "union":
            target = " | ".join(annotations.python(member) for member in declared.any_of)
            if annotations.is_mixed_union(name):
                return _mixed_union(name, target, declared)
        case _ if declared.pattern:
            target = f"Annotated[{annotations.python(declared.of)}, Meta(pattern={declared.pattern!r})]"
        case _:
            target = annotations.ranged(declared.of, declared.range)
    return f"{name}: TypeAlias = {target}\n{comment(declared.doc)}"


def _mixed_union(name: str, target: str, declared: Type) -> str:
    """At run time a class of its own, which sends msgspec to the codec; type checkers see the union."""
    body = f"    class {name}(metaclass=HoldsAnyMember):\n{docstring(declared.doc, '        ')}"
    return f"if TYPE_CHECKING:\n    {name}: TypeAlias = {target}\nelse:\n\n{body}\n\n"
