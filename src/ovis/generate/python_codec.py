"""Writes `ovis/client/verbs.py`: the arguments of every verb as a class, and the codec of arguments and results.

Decoding reads straight into the classes (msgspec, lax: a number may come as text, as old clients send it) and then
turns sizes that travel in another unit into bytes, in place. Encoding hands msgspec the objects as they are, except
those that hold text numbers or scaled sizes: for each such class a function makes the dictionary that travels.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovis.generate.annotations import Annotations
from ovis.generate.python_types import comment, docstring, has_default, members
from ovis.schema import naming
from ovis.schema.expressions import Expression, ListOf, MapOf, Named
from ovis.schema.model import Field, Schema, Verb

HEADER = '''\
"""Arguments and results of every verb of the node API, and how they travel.

Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ovis.client.types import *  # noqa: F403
from ovis.client.wire_values import in_bytes

'''


def write(schema: Schema) -> str:
    """The text of the module."""
    writer = _CodecWriter(schema)
    parts = [HEADER]
    parts += [_arguments(method, verb, writer.annotations) for method, verb in schema.verbs.items()]
    parts += writer.encoders()
    parts += writer.rescalers()
    parts += writer.tables()
    return "\n\n".join(parts)


def _arguments(method: str, verb: Verb, annotations: Annotations) -> str:
    options = "kw_only=True, frozen=True, omit_defaults=True, forbid_unknown_fields=True"
    text = f"class {naming.arguments_class(method)}(Struct, {options}):\n"
    text += docstring(f"Arguments of {method}.") + "\n"
    return text + "".join(members(verb.params, annotations))


class _CodecWriter:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.annotations = Annotations(schema)
        self.argument_fields = {naming.arguments_class(m): v.params for m, v in schema.verbs.items()}

    # --- which classes need help

    def _is_special(self, expression: Expression, names: set[str]) -> bool:
        match self.annotations.resolve(expression):
            case Named(name):
                return name in names
            case ListOf(item):
                return self._is_special(item, names)
            case MapOf(_, value):
                return self._is_special(value, names)

    def _objects(self, names: set[str]) -> Iterator[tuple[str, dict[str, Field]]]:
        for name, declared in self.schema.types.items():
            if declared.kind == "object" and name in names:
                yield name, declared.fields

    def _argument_classes(self, *, scaled: bool) -> Iterator[tuple[str, dict[str, Field]]]:
        names = self.annotations.scaled if scaled else self.annotations.text_or_scaled
        for name, fields in self.argument_fields.items():
            if any(
                f.scale > 1 or (f.is_text and not scaled) or self._is_special(self._parsed(f), names)
                for f in fields.values()
            ):
                yield name, fields

    def _parsed(self, spec: Field) -> Expression:
        return self.annotations.resolve(spec.type)

    # --- encoding

    def encoders(self) -> Iterator[str]:
        special = self.annotations.text_or_scaled
        for name, fields in [*self._objects(special), *self._argument_classes(scaled=False)]:
            yield self._encoder(name, fields)
        objects = [name for name, _ in [*self._objects(special), *self._argument_classes(scaled=False)]]
        rows = "".join(f"    {name}: _encode_{name},\n" for name in objects)
        yield f"ENCODERS: dict[type, Any] = {{\n{rows}}}\n"
        yield (
            "def _encode_member(value: Any) -> Any:\n"
            '    """A member of a union, as its own class travels."""\n'
            "    encode = ENCODERS.get(type(value))\n"
            "    return encode(value) if encode else value\n"
        )

    def _encoder(self, name: str, fields: dict[str, Field]) -> str:
        lines = [f"def _encode_{name}(v: {name}) -> dict[str, Any]:", "    w: dict[str, Any] = {}"]
        for wire_name, spec in fields.items():
            attribute = f"v.{naming.attribute(wire_name, spec)}"
            value = self._encoded_field(spec, attribute)
            if spec.optional and not has_default(spec):
                lines += [f"    if {attribute} is not None:", f'        w["{wire_name}"] = {value}']
            else:
                lines.append(f'    w["{wire_name}"] = {value}')
        return "\n".join([*lines, "    return w", ""])

    def _encoded_field(self, spec: Field, value: str) -> str:
        if spec.scale > 1 and isinstance(self._parsed(spec), ListOf):
            return f"[i // {spec.scale} for i in {value}]"
        if spec.scale > 1:
            value = f"{value} // {spec.scale}"
        if spec.is_text:
            return self._as_text(spec, value)
        return self._encoded(self.annotations.resolve(spec.type), value)

    def _as_text(self, spec: Field, value: str) -> str:
        """Written out by type: statistics hold dozens of such numbers, and a call for each would be half of their cost.

        Two decimals, as the existing agent.
        """
        match self.annotations.resolve(spec.type):
            case Named("int" | "uint"):
                return f"str({value})"
            case Named("float"):
                return f'f"{{{value}:.2f}}"'
            case Named("boolean"):
                return f'("true" if {value} else "false")'  # as existing agents write them
            case other:
                raise AssertionError(f"the check lets only numbers and truth values travel as text, not {other}")

    def _encoded(self, expression: Expression, value: str) -> str:
        """Python text which makes of `value` what travels."""
        expression = self.annotations.resolve(expression)
        if not self._is_special(expression, self.annotations.text_or_scaled):
            return value
        match expression:
            case Named(name) if self.annotations.kind(name) == "union":
                return f"_encode_member({value})"
            case Named(name):
                return f"_encode_{name}({value})"
            case ListOf(item):
                return f"[{self._encoded(item, 'i')} for i in {value}]"
            case MapOf(_, item):
                return f"{{k: {self._encoded(item, 'i')} for k, i in {value}.items()}}"

    # --- from wire units to bytes

    def rescalers(self) -> Iterator[str]:
        scaled = [*self._objects(self.annotations.scaled), *self._argument_classes(scaled=True)]
        for name, fields in scaled:
            yield self._rescaler(name, fields)
        rows = "".join(f"    {name}: _rescale_{name},\n" for name, _ in scaled)
        yield f"RESCALERS: dict[type, Any] = {{\n{rows}}}\n"
        yield (
            "def _rescale_member(value: Any) -> None:\n"
            "    rescale = RESCALERS.get(type(value))\n"
            "    if rescale:\n"
            "        rescale(value)\n"
        )

    def _rescaler(self, name: str, fields: dict[str, Field]) -> str:
        lines = [f"def _rescale_{name}(v: {name}) -> None:"]
        for wire_name, spec in fields.items():
            attribute = naming.attribute(wire_name, spec)
            if spec.scale > 1:
                lines.append(f'    in_bytes(v, "{attribute}", {spec.scale})')
            elif self._is_special(self._parsed(spec), self.annotations.scaled):
                lines.append(f"    if v.{attribute} is not None:")
                lines += self._rescaled(self._parsed(spec), f"v.{attribute}", 2, attribute)
        return "\n".join([*lines, ""])

    def _rescaled(self, expression: Expression, value: str, depth: int, holder: str) -> list[str]:
        indent, item_name = "    " * depth, f"{holder}_{depth}"
        match self.annotations.resolve(expression):
            case Named(name) if self.annotations.kind(name) == "union":
                return [f"{indent}_rescale_member({value})"]
            case Named(name):
                return [f"{indent}_rescale_{name}({value})"]
            case ListOf(item):
                return [f"{indent}for {item_name} in {value}:", *self._rescaled(item, item_name, depth + 1, holder)]
            case MapOf(_, item):
                return [
                    f"{indent}for {item_name} in {value}.values():",
                    *self._rescaled(item, item_name, depth + 1, holder),
                ]

    # --- tables

    def tables(self) -> Iterator[str]:
        rows = "".join(f'    "{m}": {naming.arguments_class(m)},\n' for m in self.schema.verbs)
        yield f"ARGUMENTS: dict[str, type[Struct]] = {{\n{rows}}}\n" + comment("The class of each verb's arguments.")
        results = {m: v.result for m, v in self.schema.verbs.items() if v.result}
        rows = "".join(f'    "{m}": {self._result_type(r)},\n' for m, r in results.items())
        yield f"RESULTS: dict[str, Any] = {{\n{rows}}}\n" + comment("What a result is read into.")
        for method, result in results.items():
            if self._needs_encoder(result):
                encoded = self._encoded_field(result, "v")
                yield f"def _result_{naming.arguments_class(method)}(v: Any) -> Any:\n    return {encoded}\n"
        rows = "".join(
            f'    "{m}": _result_{naming.arguments_class(m)},\n' for m, r in results.items() if self._needs_encoder(r)
        )
        yield f"RESULT_ENCODERS: dict[str, Any] = {{\n{rows}}}\n"
        scaled = {m: r for m, r in results.items() if self._is_special(self._parsed(r), self.annotations.scaled)}
        for method, result in scaled.items():
            body = "\n".join(self._rescaled(self._parsed(result), "v", 1, "v"))
            yield f"def _rescale_result_{naming.arguments_class(method)}(v: Any) -> None:\n{body}\n"
        rows = "".join(f'    "{m}": _rescale_result_{naming.arguments_class(m)},\n' for m in scaled)
        yield f"RESULT_RESCALERS: dict[str, Any] = {{\n{rows}}}\n"
        mixed = [n for n in self.schema.types if self.annotations.is_mixed_union(n)]
        unions = [n for n in self.schema.types if self.annotations.is_object_union(n)] + mixed
        rows = "".join(f"    {u}: ({', '.join(self._members(u))},),\n" for u in unions)
        yield f"UNION_MEMBERS: dict[Any, tuple[Any, ...]] = {{\n{rows}}}\n" + comment(
            "The classes that a value of an untagged union may have."
        )
        rows = "".join(f"    {u}: {self._other_members(u)},\n" for u in mixed)
        yield f"OTHER_MEMBERS: dict[Any, Any] = {{\n{rows}}}\n" + comment(
            "What a value of a union is that is no object."
        )
        rows = "".join(self._fixed_values(name) for name in dict.fromkeys(m for u in unions for m in self._members(u)))
        yield f"FIXED_VALUES: dict[type, dict[str, frozenset[str]]] = {{\n{rows}}}\n" + comment(
            "The values by which a class is told from the other members of its union, by their names on the wire."
        )

    def _fixed_values(self, name: str) -> str:
        fixed = {wire_name: f.only for wire_name, f in self.schema.types[name].fields.items() if f.only}
        values = ", ".join(f'"{n}": frozenset({sorted(only)!r})' for n, only in fixed.items())
        return f"    {name}: {{{values}}},\n" if fixed else ""

    def _needs_encoder(self, result: Field) -> bool:
        return (
            result.is_text
            or result.scale > 1
            or self._is_special(self._parsed(result), self.annotations.text_or_scaled)
        )

    def _result_type(self, result: Field) -> str:
        return self.annotations.python(result.type)

    def _members(self, union: str) -> Iterator[str]:
        """The classes of the objects in a union, those in unions within it too."""
        for member in self.schema.types[union].any_of:
            if isinstance(member, str) and self.annotations.is_object_union(member):
                yield from self._members(member)
            elif isinstance(member, str) and self.annotations.kind(member) == "object":
                yield member

    def _other_members(self, union: str) -> str:
        others = [
            m
            for m in self.schema.types[union].any_of
            if not (isinstance(m, str) and self.annotations.is_object_union(m))
        ]
        return " | ".join(self.annotations.python(m) for m in others)
