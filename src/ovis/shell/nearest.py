"""Names as people type them: any case, snake_case, almost right."""

from __future__ import annotations

from collections.abc import Iterable

from ovis.schema.naming import snake


def find(typed: str, names: Iterable[str]) -> str | None:
    """The name that was meant beyond doubt: itself, or the only one that differs in case and underscores alone."""
    known = list(names)
    if typed in known:
        return typed
    alike = [name for name in known if _plain(name) == _plain(typed)]
    return alike[0] if len(alike) == 1 else None


def did_you_mean(typed: str, names: Iterable[str]) -> str:
    """`Did you mean getStats or getInfo?`, or nothing when no name is near."""
    import difflib  # here: only mistakes pay for it

    by_plain = {_plain(name): name for name in names}
    near = [by_plain[plain] for plain in difflib.get_close_matches(_plain(typed), by_plain, n=3, cutoff=0.6)]
    if not near:
        near = [name for plain, name in by_plain.items() if _plain(typed) and _plain(typed) in plain][:3]
    return f"Did you mean {' or '.join(near)}?" if near else ""


def _plain(name: str) -> str:
    return snake(name).replace("_", "")
