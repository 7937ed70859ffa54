"""Writes `ovis/client/api.py` and `async_api.py`: a class per schema class, a method per verb, in both the same."""

from __future__ import annotations

import textwrap

from ovis.generate.annotations import Annotations
from ovis.generate.python_types import has_default
from ovis.schema import naming
from ovis.schema.model import Class, Field, Schema, Verb

HEADER = '''\
"""The verbs of the node API as {kind} methods, a class for each class of the schema.

Made from the schema by `python -m ovis.generate python`: edit the schema, not this file.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from ovis.client.types import *  # noqa: F403
from ovis.client.verbs import *  # noqa: F403
from ovis.client.{module} import Call


class Group:
    """The verbs of one class, sent through one connection."""

    def __init__(self, call: Call) -> None:
        self._call = call
'''


def write(schema: Schema, *, asynchronous: bool) -> str:
    """The text of one of the two modules."""
    kind, module = ("asynchronous", "async_calls") if asynchronous else ("blocking", "calls")
    writer = _ClientWriter(schema, asynchronous=asynchronous)
    classes = [writer.group(name, klass) for name, klass in schema.classes.items()]
    return "\n\n".join([HEADER.format(kind=kind, module=module), *classes, writer.api()])


class _ClientWriter:
    def __init__(self, schema: Schema, *, asynchronous: bool) -> None:
        self.schema = schema
        self.annotations = Annotations(schema)
        self.define, self.wait = ("async def", "await ") if asynchronous else ("def", "")
        self.api_name = "AsyncNodeApi" if asynchronous else "NodeApi"

    def group(self, name: str, klass: Class) -> str:
        methods = [self._method(name, verb_name, verb) for verb_name, verb in klass.verbs.items()]
        return f"class {name}Verbs(Group):\n{_docstring([klass.doc], 4)}\n" + "\n".join(methods)

    def _method(self, class_name: str, verb_name: str, verb: Verb) -> str:
        arguments_class = naming.arguments_class(f"{class_name}.{verb_name}")
        parameters = "".join(self._parameter(n, p) for n, p in _required_first(verb.params))
        returns = self.annotations.python(verb.result.type) if verb.result else "None"
        passed = ", ".join(f"{a}={a}" for a in (naming.attribute(n, p) for n, p in verb.params.items()))
        call = f'{self.wait}self._call("{class_name}.{verb_name}", {arguments_class}({passed}), deadline)'
        body = f"        result: {returns} = {call}\n        return result\n" if verb.result else f"        {call}\n"
        head = f"    {self.define} {naming.snake(verb_name)}(\n        self,\n{parameters}"
        star = "        *,\n"
        head += f"{star}        deadline: float | None = None,\n    ) -> {returns}:\n"
        return head + self._verb_docstring(verb) + body

    def _parameter(self, name: str, spec: Field) -> str:
        attribute, annotation = naming.attribute(name, spec), self.annotations.of_field(spec)
        if has_default(spec):
            return f"        {attribute}: {annotation} = {_plain_default(spec, self.annotations)},\n"
        if spec.optional:
            return f"        {attribute}: {annotation} | None = None,\n"
        return f"        {attribute}: {annotation},\n"

    def _verb_docstring(self, verb: Verb) -> str:
        paragraphs = [verb.doc]
        for name, spec in verb.params.items():
            unit = f" [{spec.unit}]" if spec.unit else ""
            paragraphs.append(f"{naming.attribute(name, spec)}: {spec.doc}{unit}")
        if verb.result:
            paragraphs.append(f"Returns: {verb.result.doc}")
        if verb.errors:
            paragraphs.append(f"Errors: {', '.join(verb.errors)}.")
        return _docstring(paragraphs, 8)

    def api(self) -> str:
        lines = [f"class {self.api_name}:", '    """Every class of the node API over one connection."""', ""]
        lines.append("    def __init__(self, call: Call) -> None:")
        for name in self.schema.classes:
            lines.append(f"        self.{naming.snake(name)} = {name}Verbs(call)")
        return "\n".join([*lines, ""])


def _plain_default(spec: Field, annotations: Annotations) -> str:
    if isinstance(spec.type, str) and annotations.kind(spec.type) == "enum":
        return f"{spec.type}({spec.default!r})"
    return repr(spec.default)


def _required_first(fields: dict[str, Field]) -> list[tuple[str, Field]]:
    return sorted(fields.items(), key=lambda item: item[1].optional)


def _docstring(paragraphs: list[str], indent: int) -> str:
    filled = [
        textwrap.fill(p.replace("\\", "\\\\"), 116 - indent, subsequent_indent="    " if i else "")
        for i, p in enumerate(paragraphs)
    ]
    text = filled[0] + ("\n\n" + "\n".join(filled[1:]) if len(filled) > 1 else "")
    end = "\n" if "\n" in text else ""
    return textwrap.indent(f'"""{text}{end}"""\n', " " * indent)
