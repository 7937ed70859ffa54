"""The words behind a verb, made into the arguments that travel.

    name=value            typed by the schema (`values`)
    name.member=value     a member of an object or map; a number counts list items from 0
    name=@file, name=@-   the text of a file or of stdin; name=@@x is the text "@x"
    @file, @- or -        a whole JSON (or .yaml) object of arguments, as it travels

Later words go before earlier ones, so a file can be a template. Names are those of the wire, or the same in snake_case.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from ovis.schema.model import Field, Schema, Verb
from ovis.schema.naming import attribute
from ovis.shell.api import Shape
from ovis.shell.failures import Failure, usage
from ovis.shell.nearest import did_you_mean, find
from ovis.shell.values import BadValue, parse_json, to_wire

FILE_BYTES = 64 << 20  # more than a message may have


def no_warning(_: str) -> None:
    pass


class ArgumentReader:
    """Reads the words of one call. `warn` gets a text about what works but should be done another way."""

    def __init__(self, schema: Schema, method: str, warn: Callable[[str], None] = no_warning) -> None:
        verb = schema.verb(method)
        assert verb is not None
        self._schema = schema
        self._method = method
        self._verb: Verb = verb
        self._warn = warn
        self.arguments: dict[str, Any] = {}

    def read(self, words: Iterable[str]) -> None:
        """Raises Failure that names the parameter."""
        for word in words:
            if word == "-" or word.startswith("@"):
                self._take_object(word.removeprefix("@"))
            else:
                self._take_value(word)

    @property
    def missing(self) -> dict[str, Field]:
        """Required parameters that have no value yet."""
        return {
            name: field
            for name, field in self._verb.params.items()
            if not field.optional and field.default is msgspec.UNSET and name not in self.arguments
        }

    def put(self, name: str, text: str) -> None:
        """Set a parameter from a text that did not stand on the command line."""
        shape = Shape.of_field(self._schema, self._verb.params[name])
        self.arguments[name] = self._convert(name, shape, text)

    def _take_object(self, source: str) -> None:
        where = "stdin" if source == "-" else source
        try:
            content = _structured(source)
        except BadValue as problem:
            raise usage(f"{where}: {problem}") from problem
        if not isinstance(content, dict):
            raise usage(f"{where}: must hold a JSON object with the parameters of {self._method}")
        for name, value in content.items():
            known = self._find(name, self._verb.params, self._method, "parameter")
            self.arguments[known] = value

    def _take_value(self, word: str) -> None:
        path, equals, text = word.partition("=")
        if not equals:
            hint = f"Parameters are given as name=value; see: ovis node {self._method.replace('.', ' ')} --help"
            raise usage(f"{word!r} is not name=value", hint)
        first, *rest = path.split(".")
        name = self._find(first, self._verb.params, self._method, "parameter")
        shape = Shape.of_field(self._schema, self._verb.params[name])
        if not rest:
            self.arguments[name] = self._from_word(name, shape, text)
        else:
            self.arguments[name] = self._put_member(self.arguments.get(name), shape, name, rest, text)

    def _put_member(self, holder: Any, shape: Shape, place: str, path: list[str], text: str) -> Any:
        """`holder` (or a new one) with the member at `path` set; `place` is how the user called it."""
        if not path:
            return self._from_word(place, shape, text)
        name, rest = path[0], path[1:]
        if shape.kind == "list":
            return self._put_item(holder, shape, place, path, text)
        if shape.kind in {"object", "union"} and shape.fields:
            name = self._find(name, shape.fields, place, "member")
            inner = shape.field(name)
        elif shape.kind == "map":
            name, rest = ".".join(path) if shape.value.is_scalar else name, [] if shape.value.is_scalar else rest
            inner = shape.value
        elif shape.kind == "json":
            inner = shape
        else:
            raise usage(f"{place} has no members, it is {shape.kind}")
        content = dict(holder) if isinstance(holder, dict) else {}
        content[name] = self._put_member(content.get(name), inner, f"{place}.{name}", rest, text)
        return content

    def _put_item(self, holder: Any, shape: Shape, place: str, path: list[str], text: str) -> list[Any]:
        items = list(holder) if isinstance(holder, list) else []
        if not path[0].isdecimal() or int(path[0]) > len(items):
            raise usage(f"{place} is a list: expected the number of an item from 0 to {len(items)}, not {path[0]!r}")
        index = int(path[0])
        if index == len(items):
            items.append(None)
        items[index] = self._put_member(items[index], shape.item, f"{place}.{index}", path[1:], text)
        return items

    def _from_word(self, place: str, shape: Shape, text: str) -> Any:
        if text.startswith("@") and not text.startswith("@@"):
            return self._from_file(place, shape, text[1:])
        if shape.secret and text and shape.kind == "string":
            self._warn(f"{place} is a secret and stands on the command line, where others can read it; use {place}=@-")
        return self._convert(place, shape, text[1:] if text.startswith("@@") else text)

    def _from_file(self, place: str, shape: Shape, source: str) -> Any:
        if shape.is_scalar:
            text = _text(source)
            # a password file or an echo ends with a line end that nobody means; XML does not care
            return self._convert(place, shape, text.rstrip("\r\n"))
        try:
            return _structured(source)
        except BadValue as problem:
            raise usage(f"{place}: {'stdin' if source == '-' else source} {problem}") from problem

    def _convert(self, place: str, shape: Shape, text: str) -> Any:
        try:
            return to_wire(shape, text)
        except BadValue as problem:
            given = "" if shape.secret or len(text) > 60 else f" ({text!r} was given)"
            raise usage(f"{place}: {problem}{given}") from problem

    def _find(self, typed: str, fields: dict[str, Field], owner: str, what: str) -> str:
        names = {**{attribute(name, field): name for name, field in fields.items()}, **{n: n for n in fields}}
        known = names.get(typed) or find(typed, fields)
        if known is None:
            near = did_you_mean(typed, fields)
            listing = f"It has: {', '.join(fields)}" if fields else "It takes none"
            raise usage(f"{owner} has no {what} {typed!r}", near or listing)
        return known


def _text(source: str) -> str:
    """The text of a file, or of stdin for `-`."""
    try:
        if source == "-":
            return sys.stdin.read(FILE_BYTES)
        path = Path(source).expanduser()
        if path.is_file() and path.stat().st_size > FILE_BYTES:
            raise usage(f"{source} is larger than a message may be ({FILE_BYTES >> 20} MiB)")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise usage(f"Cannot read {source}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise usage(f"Cannot read {source}: it is not UTF-8 text") from error


def _structured(source: str) -> Any:
    """JSON, or YAML by the name of the file. Raises BadValue."""
    text = _text(source)
    if not source.endswith((".yaml", ".yml")):
        return parse_json(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise BadValue(f"is not valid YAML: {problem}") from problem


def missing_failure(method: str, missing: Iterable[str]) -> Failure:
    names = list(missing)
    what = "the parameter" if len(names) == 1 else "the parameters"
    return usage(
        f"{method} needs {what} {', '.join(f'{name}=' for name in names)}",
        f"See: ovis node {method.replace('.', ' ')} --help",
    )
