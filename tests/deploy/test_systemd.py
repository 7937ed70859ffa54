"""The units, as far as they can be judged without a systemd that runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ovis.node.config import Config
from ovis.node.privileged.client import SERVICE
from ovis.node.privileged.main import _parser
from ovis.node.privileged.rules import Rules

UNITS = Path(__file__).parents[2] / "deploy/systemd"
AGENT, HELPER = UNITS / "ovisd.service", UNITS / "ovis-privileged.service"
EXPOSURE = {AGENT: 25, HELPER: 60}
"""Tenths of what systemd calls exposure; the helper must not have a mount namespace of its own."""
MOUNT_NAMESPACE = (
    *("ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables", "ProtectKernelModules"),
    *("ProtectKernelLogs", "ProtectControlGroups", "ProtectProc", "ReadWritePaths", "ReadOnlyPaths", "PrivateMounts"),
)


def lines(unit: Path) -> list[tuple[str, str]]:
    text = [line for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return [(name, value) for name, _, value in (line.partition("=") for line in text)]


def value(unit: Path, wanted: str) -> str:
    (found,) = (value for name, value in lines(unit) if name == wanted)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", EXPOSURE, ids=lambda unit: unit.stem)
def test_exposure_has_a_bound(unit: Path) -> None:
    words = ("systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE[unit]}", str(unit))
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr
    assert "ignoring" not in done.stderr  # names of settings that it does not know


@pytest.mark.parametrize("unit", EXPOSURE, ids=lambda unit: unit.stem)
def test_what_serves_vms_and_networks_outlives_a_stop(unit: Path) -> None:
    assert value(unit, "KillMode") == "process"


def test_agent_has_neither_root_nor_capabilities() -> None:
    assert value(AGENT, "User") == "ovis"
    assert value(AGENT, "CapabilityBoundingSet") == ""
    assert value(AGENT, "NoNewPrivileges") == "yes"


def test_what_the_helper_mounts_is_seen_by_all() -> None:
    assert not [name for name, _ in lines(HELPER) if name in MOUNT_NAMESPACE]


def test_helper_listens_where_the_agent_looks_for_the_same_user() -> None:
    program, *words = value(HELPER, "ExecStart").split()
    options = _parser().parse_args(words)
    assert program == "/usr/bin/ovis-privileged"
    assert options.socket == SERVICE
    storage = Config().storage
    assert (options.user, options.group) == (storage.user, storage.group)
    assert Path(options.repository) == storage.root
    assert Path(options.adapters) == storage.adapter_folder == Path(Rules.adapters)
    assert value(HELPER, "RuntimeDirectory") == SERVICE.parent.name


def test_folders_of_the_agent_are_those_of_its_configuration() -> None:
    config = Config()
    assert Path("/run") / value(AGENT, "RuntimeDirectory") == config.run_folder
    assert Path("/var/lib") / value(AGENT, "StateDirectory") == config.state_folder
    writable = [Path(path.removeprefix("-")) for path in value(AGENT, "ReadWritePaths").split()]
    for folder in (config.storage.root, config.storage.run_folder, config.tls.folder, *config.vms.allowed_paths):
        assert any(folder.is_relative_to(path) for path in writable), folder
