"""What hook scripts import: `import hooking`.

Nothing beside the standard library of Python 3.7: scripts run under whatever interpreter they name.
Names and behaviour are those that existing scripts expect (reference/vdsm.md, section 2.5).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from xml.dom import minidom

TRUE_WORDS = ("true", "yes", "on", "1")
LAUNCH_FOLDER = "/run/vdsm"


def tobool(value: object) -> bool:
    """What custom properties mean by true: the words true, yes and on, and numbers other than 0."""
    if value is None:
        return False
    if isinstance(value, str):
        word = value.strip().lower()
        if word in TRUE_WORDS:
            return True
        try:
            return int(word) != 0
        except ValueError:
            return False
    return bool(value)


def log(message: object) -> None:
    """One line for the agent's log."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def exit_hook(message: object, return_code: int = 2) -> NoReturn:
    """End the script as failed; 2 keeps the scripts after it from running, 1 does not."""
    log(message)
    sys.exit(return_code)


def read_domxml() -> minidom.Document:
    """The domain, or the device at points of devices, as a minidom document."""
    return minidom.parse(_payload("_hook_domxml"))  # noqa: S318 - the agent wrote it


def write_domxml(domxml: minidom.Document) -> None:
    """Replace it."""
    _write(_payload("_hook_domxml"), domxml.toxml(encoding="utf-8"))


def read_json() -> Any:
    """The value at points that have JSON."""
    with open(_payload("_hook_json"), encoding="utf-8") as file:
        return json.load(file)


def write_json(data: object) -> None:
    """Replace it."""
    _write(_payload("_hook_json"), json.dumps(data).encode("utf-8"))


def load_vm_launch_flags_from_file(vm_id: str) -> int:
    """With which flags libvirt will be asked to start the VM (virDomainCreateFlags); 0 when nothing is noted."""
    try:
        with open(_launch_flags(vm_id), encoding="ascii") as file:
            return int(file.read().strip() or "0")
    except OSError:
        return 0


def dump_vm_launch_flags_to_file(vm_id: str, flags: int) -> None:
    """Change them, before the VM is started."""
    path = _launch_flags(vm_id)
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(os.path.dirname(path))
    _write(path, b"%d" % int(flags))


def execCmd(  # noqa: N802 - the name that scripts know
    command: Sequence[str],
    sudo: bool = False,
    cwd: str | None = None,
    data: str | bytes | None = None,
    raw: bool = False,
    printable: object = None,
    env: Mapping[str, str] | None = None,
    sync: bool = True,
    **_options: object,
) -> tuple[int, Any, Any]:
    """Run a program: its exit status, output and errors; lists of lines (bytes), or with `raw` one piece each.

    `data` is its standard input. Only `sync` execution is there: a script's children end with the script.
    """
    if not sync:
        raise ValueError("execCmd: sync=False is not supported; use subprocess")
    arguments = list(command)
    if sudo and os.geteuid() != 0:
        arguments = ["sudo", "-n", *arguments]
    if isinstance(data, str):
        data = data.encode("utf-8")
    process = subprocess.Popen(
        arguments,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = process.communicate(data)
    if raw:
        return process.returncode, output, errors
    return process.returncode, output.splitlines(), errors.splitlines()


def _payload(variable: str) -> str:
    path = os.environ.get(variable)
    if not path:
        exit_hook(f"{variable} is not set: this script is not meant for this point")
    return path


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def _launch_flags(vm_id: str) -> str:
    return os.path.join(os.environ.get("OVIS_LAUNCH_FOLDER", LAUNCH_FOLDER), vm_id, "launchflags")
