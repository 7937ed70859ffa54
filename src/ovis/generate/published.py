"""The published versions of the schema: `published/1.json`, `2.json` … beside the YAML files, never changed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from ovis.schema import Schema, compiled, walk

FOLDER = "published"


class PublishError(Exception):
    """A version cannot be published; says why."""


def versions(api_folder: Path) -> dict[int, Path]:
    """The published versions by number, oldest first."""
    found = {int(file.stem): file for file in (api_folder / FOLDER).glob("*.json") if file.stem.isdigit()}
    return dict(sorted(found.items()))


def publish(api_folder: Path, schema: Schema, version: int, *, built: Collection[str]) -> Path:
    """Keep the schema as it is now. The numbers have no gaps, so that `since: ovis-N` is a promise anybody can check.

    `built` are the verbs that the agent answers. The others are kept by name alone: nobody can rely on the form of a
    verb that answers MethodNotImplemented, and building it may show that a fact about it was wrong.

    Raises PublishError, also when an item is dated later than the version that it is in.
    """
    newest = max(versions(api_folder), default=0)
    if version <= newest:
        raise PublishError(f"version {version} is published and never changes; the next is {newest + 1}")
    if version > newest + 1:
        raise PublishError(f"the version after {newest} is {newest + 1}, not {version}")
    early = [item.place for item in walk.dated(schema) if _number(item.since) > version]
    if early:
        raise PublishError(f"dated later than ovis-{version}: {', '.join(early[:5])}")
    file = api_folder / FOLDER / f"{version}.json"
    file.parent.mkdir(exist_ok=True)
    with file.open("xb") as out:
        out.write(compiled.encode(_marked(schema, built)))
    return file


def _marked(schema: Schema, built: Collection[str]) -> Schema:
    classes = {
        name: msgspec.structs.replace(
            klass,
            verbs={
                verb: msgspec.structs.replace(spec, unbuilt=f"{name}.{verb}" not in built)
                for verb, spec in klass.verbs.items()
            },
        )
        for name, klass in schema.classes.items()
    }
    return msgspec.structs.replace(schema, classes=classes)


def _number(since: str) -> int:
    number = since.removeprefix("ovis-")
    return int(number) if number != since and number.isdigit() else 0
