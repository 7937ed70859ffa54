"""The checks that need no run of our code: style, form, types, import directions."""

import subprocess
import time
from pathlib import Path

from deploy.check.verdict import Verdict

_SOURCES = ("src", "deploy", "tests", "hooks")
_CHECKS = {
    "ruff check": ["ruff", "check", "--quiet", *_SOURCES],
    "ruff format": ["ruff", "format", "--check", "--quiet", *_SOURCES],
    "mypy": ["mypy", "--no-error-summary"],
    "mypy deploy": ["mypy", "--no-error-summary", "deploy"],
    "lint-imports": ["lint-imports"],
}
_SECONDS = 240


def lint(root: Path) -> Verdict:
    """Each check counts as one; a failing one prints what it found."""
    started = time.monotonic()
    failures: list[str] = []
    for name, command in _CHECKS.items():
        if reason := _failure(root, command):
            failures.append(name)
            print(f"{name}: FAILED\n{reason}", flush=True)
        else:
            print(f"{name}: passed", flush=True)
    return Verdict(
        "lint",
        time.monotonic() - started,
        passed=len(_CHECKS) - len(failures),
        failed=len(failures),
        notes=tuple(f"failed: {name}" for name in failures),
    )


def _failure(root: Path, command: list[str]) -> str | None:
    program, *arguments = command
    try:
        done = subprocess.run(
            [root / ".venv/bin" / program, *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {_SECONDS} s"
    return None if done.returncode == 0 else done.stdout.strip() or f"exit code {done.returncode}"
