"""Running the system's own programs in a bed."""

import subprocess
import time
from collections.abc import Callable

PATIENCE = 60.0


def run(*arguments: object, deadline: float = PATIENCE) -> str:
    """Standard output. A failure tells what the program said."""
    words = [str(argument) for argument in arguments]
    done = subprocess.run(
        words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=deadline, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def until(what: str, is_so: Callable[[], object], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
