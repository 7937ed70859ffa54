"""`ovis node console`: the serial console of a VM in this terminal.

In a terminal every key goes to the guest, Ctrl-C too; Ctrl-] ends. The terminal is put back as it was on every way out
that a process can see. Without a terminal input and output are passed on as they are.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING

import click

from ovis.client.untyped import ConnectionLost
from ovis.shell.failures import Exit, Failure, usage
from ovis.shell.options import node_options
from ovis.shell.talk import Options, connected, lost, target_of

if TYPE_CHECKING:
    from ovis.client.console import BlockingTunnel

ESCAPE = b"\x1d"  # Ctrl-]
CHUNK = 4096
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def console_command() -> click.Command:
    return click.Command(
        "console",
        params=[
            *node_options(output_only=True),
            click.Option(["--force"], is_flag=True, help="Take the console from whoever has it."),
            click.Argument(["vm"]),
        ],
        callback=_console,
        options_metavar="[--force]",
        help="Open the serial console of a VM, named by its id or its name. Ctrl-] ends.",
        epilog="Every key goes to the guest. Without a terminal, standard input and output are passed on as they are.",
    )


def _console(vm: str, force: bool) -> None:
    from ovis.client.console import Refused, open_console

    options = click.get_current_context().ensure_object(Options)
    vm_id = id_of(options, vm)
    try:
        tunnel = open_console(target_of(options), vm_id, force=force, timeout=options.timeout or 10.0)
    except ConnectionLost as error:
        raise lost(options, error) from error
    except Refused as error:
        raise _refused(error.status, error.message) from error
    is_terminal = sys.stdin.isatty()
    if is_terminal:
        click.echo(f"Console of VM {vm}, Ctrl-] ends", err=True)
    try:
        with _raw_terminal() if is_terminal else _as_it_is():
            ended = _pass_on(tunnel, sys.stdin.fileno(), sys.stdout.fileno(), escape=ESCAPE if is_terminal else b"")
    except ConnectionLost as error:
        raise Failure(Exit.NO_CONNECTION, str(error)) from error
    finally:
        tunnel.close()
    if is_terminal or not ended:
        click.echo(f"\nThe console is closed{f': {tunnel.reason}' if tunnel.reason else ''}", err=True)


def id_of(options: Options, vm: str) -> str:
    """An id as it is; a name is looked up."""
    if len(vm) == 36 and vm.count("-") == 4:
        return vm
    import msgspec

    with connected(options) as connection:
        known = msgspec.json.decode(connection.call("Host.getVMFullList", b"{}", timeout=options.timeout or 10.0))
    ids = [found["vmId"] for found in known if found.get("vmName") == vm]
    if len(ids) != 1:
        raise usage(f"There is no VM named {vm!r}" if not ids else f"{len(ids)} VMs are named {vm!r}: give the id")
    return str(ids[0])


def _refused(status: int, message: str) -> Failure:
    return Failure(Exit.DENIED if status == HTTPStatus.FORBIDDEN else Exit.ERROR, message)


def _pass_on(tunnel: BlockingTunnel, source: int, sink: int, *, escape: bytes) -> bool:
    """Until the far end closes or the user ends it, which is the answer."""
    inputs = [source, tunnel.fileno()]
    while not tunnel.is_over:
        ready, _, _ = select.select(inputs, [], [], 0 if tunnel.has_more else None)
        if source in ready:
            keys = os.read(source, CHUNK)
            before, found, _ = keys.partition(escape) if escape else (keys, b"", b"")
            if before:
                tunnel.send(before)
            if found:
                return True
            if not keys:
                inputs.remove(source)  # what was piped in is sent; the guest's words may still come
        if tunnel.fileno() in ready or tunnel.has_more:
            for data in tunnel.receive():
                _write(sink, data)
    return False


def _write(sink: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(sink, left) :]


@contextmanager
def _raw_terminal() -> Iterator[None]:
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    handlers = {number: signal.signal(number, _leave) for number in _ENDING}
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(number: int, _: FrameType | None) -> None:
    """Out of `select`, through the `finally` that puts the terminal back."""
    raise SystemExit(128 + number)


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield
