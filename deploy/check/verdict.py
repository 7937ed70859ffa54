"""What a tier came to, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    tier: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: tuple[str, ...] = ()
    """What failed outside any test, why a tier did not run, and what passed only at a second try."""
    failed_tests: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        if self.failed:
            return "FAILED"
        return "passed" if self.passed else "not run"


def table(verdicts: Sequence[Verdict]) -> str:
    lines = [f"{'tier':<6} {'result':<8} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}"]
    for verdict in verdicts:
        counts = f"{verdict.passed:>7} {verdict.failed:>7} {verdict.skipped:>8} {verdict.seconds:>8.1f}"
        lines.append(f"{verdict.tier:<6} {verdict.word:<8} {counts}")
        lines.extend(f"       {note}" for note in verdict.notes)
    return "\n".join(lines)


def summary(verdicts: Sequence[Verdict]) -> str:
    passed, failed, skipped = (sum(getattr(v, name) for v in verdicts) for name in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed, {skipped} skipped"
