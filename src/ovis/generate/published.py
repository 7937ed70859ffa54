"""The published versions of the schema: `published/1.json`, `2.json` … beside the YAML files, never changed."""

from __future__ import annotations

from pathlib import Path

from ovis.schema import Schema, compiled, walk

FOLDER = "published"


class PublishError(Exception):
    """A version cannot be published; says why."""


def versions(api_folder: Path) -> dict[int, Path]:
    """The published versions by number, oldest first."""
    found = {int(file.stem): file for file in (api_folder / FOLDER).glob("*.json") if file.stem.isdigit()}
    return dict(sorted(found.items()))


def publish(api_folder: Path, schema: Schema, version: int) -> Path:
    """Keep the schema as it is now. The numbers have no gaps, so that `since: ovis-N` is a promise anybody can check.

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
        out.write(compiled.encode(schema))
    return file


def _number(since: str) -> int:
    number = since.removeprefix("ovis-")
    return int(number) if number != since and number.isdigit() else 0
