"""Writes the generated parts of docs/vm/life-cycle.md: the picture of the states and the table of exit reasons.

python -m deploy.pages.life_cycle docs/vm/life-cycle.md
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ovis.node.vm.states import TEXTS, mermaid


def filled(page: str) -> str:
    """The page with its generated parts as the code has them now."""
    rows = "".join(f"| {reason.value} | {text} |\n" for reason, text in TEXTS.items())
    page = _between(page, "picture", f"```mermaid\n{mermaid().rstrip()}\n```\n")
    return _between(page, "reasons", f"| exitReason | what happened |\n|---|---|\n{rows}")


def _between(page: str, name: str, text: str) -> str:
    pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no place for its {name}")
    return pattern.sub(lambda found: found[1] + text + found[2], page)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(filled(file.read_text(encoding="utf-8")), encoding="utf-8")
