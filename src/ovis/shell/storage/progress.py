"""How far a copy is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from ovis.shell.units import human_size

LINE_EVERY = 10.0


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """On standard error; the body calls with the bytes done since it called before."""
    if sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        with _lines(what, total) as advance:
            yield advance


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TransferSpeedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=sys.stderr)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def _lines(what: str, total: int) -> Iterator[Callable[[int], None]]:
    began = told = time.monotonic()
    done = 0

    def advance(further: int) -> None:
        nonlocal done, told
        done += further
        now = time.monotonic()
        if now - told >= LINE_EVERY:
            told = now
            click.echo(f"{what}: {human_size(done)} of {human_size(total)}", err=True)

    yield advance
    seconds = max(time.monotonic() - began, 0.001)
    click.echo(f"{what}: {human_size(done)} in {seconds:.1f} s", err=True)
