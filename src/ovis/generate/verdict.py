"""The check of a schema folder: read it, apply the rules, compare it with every published version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ovis.generate import published
from ovis.schema import Schema, compiled
from ovis.schema.check import Finding, check
from ovis.schema.compare import Break, compare
from ovis.schema.read import SchemaError, read_folder


@dataclass(frozen=True)
class Verdict:
    """Fields: the schema (None when it cannot be read, then `unreadable` says why), rules broken, advice, breaks by the
    published version that they break."""

    schema: Schema | None
    unreadable: str
    findings: list[Finding]
    advice: list[Finding]
    breaks: dict[int, list[Break]]

    @property
    def is_good(self) -> bool:
        return not (self.unreadable or self.findings or any(self.breaks.values()))

    def lines(self) -> Iterator[str]:
        """What a developer reads: what is wrong, then what it was about."""
        if self.schema is None:
            yield self.unreadable
            return
        for finding in sorted(self.findings):
            yield str(finding)
        for version, breaks in self.breaks.items():
            for change in sorted(breaks):
                yield f"breaks version {version}: {change}"
        for finding in sorted(self.advice):
            yield f"advice: {finding}"
        yield self._summary(self.schema)

    def _summary(self, schema: Schema) -> str:
        counts = f"{len(schema.verbs)} verbs, {len(schema.types)} types, {len(schema.events)} events"
        breaks = sum(map(len, self.breaks.values()))
        verdict = "good" if self.is_good else f"{len(self.findings)} findings, {breaks} breaking changes"
        compared = ", ".join(map(str, self.breaks)) or "none"
        return f"{counts}, {len(schema.errors)} errors; compared with published versions: {compared}; {verdict}"


def judge(api_folder: Path) -> Verdict:
    """Never raises for what is wrong in the folder."""
    try:
        schema = read_folder(api_folder)
    except SchemaError as error:
        return Verdict(None, str(error), [], [], {})
    found = check(schema)
    breaks: dict[int, list[Break]] = {}
    # An unknown type makes comparing meaningless; the finding comes first.
    if not any(finding.rule == "unknown-type" for finding in found):
        for version, file in published.versions(api_folder).items():
            breaks[version] = compare(compiled.load(file), schema, version=version)
    return Verdict(schema, "", [f for f in found if not f.is_advisory], [f for f in found if f.is_advisory], breaks)
