"""Which files of tests come first: those that take long. A file that is not named is a short one.

`make test` tells each file's seconds; they need not be exact, only their order counts.
"""

from pathlib import Path

LIST = Path(__file__).with_name("durations.txt")
USUAL = 10.0


def seconds(file: str) -> float:
    return _listed().get(file, USUAL)


def _listed() -> dict[str, float]:
    lines = (line.partition("#")[0].split() for line in LIST.read_text().splitlines())
    return {words[0]: float(words[1]) for words in lines if words}
