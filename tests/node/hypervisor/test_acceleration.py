"""The emulator is a script that behaves as QEMU does under a KVM that works, hangs or refuses."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ovis.node.hypervisor.acceleration import Acceleration, Kind, Probe, choose, run

WORKS = 'echo "SeaBIOS"; echo "OVIS GUEST STAGE 1"; exec sleep 100'
HANGS = 'echo "Booting from ROM..."; trap "" TERM; sleep 100 & wait; sleep 100'
REFUSES = 'echo "Could not access KVM kernel module: Permission denied" >&2; exit 1'

Machine = Callable[[str], Probe]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    def make(behaviour: str) -> Probe:
        emulator = tmp_path / "qemu"
        emulator.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo "QEMU 7.2" && exit\necho $$ >>{tmp_path}/runs\n{behaviour}\n'
        )
        emulator.chmod(0o755)
        for name in ("vmlinuz", "initrd.gz", "kvm"):
            (tmp_path / name).touch()
        return Probe(tmp_path / "vmlinuz", tmp_path / "initrd.gz", str(emulator), seconds=20, device=tmp_path / "kvm")

    return make


def chosen(probe: Probe, *, wanted: Kind | None = None, refresh: bool = False) -> Acceleration:
    state_file = probe.kernel.parent / "state" / "acceleration.json"
    return asyncio.run(choose(probe, state_file=state_file, wanted=wanted, refresh=refresh))


def runs(probe: Probe) -> list[int]:
    file = probe.kernel.parent / "runs"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def members_of_group(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def assert_gone(group: int) -> None:
    """A killed process takes a moment to end."""
    deadline = time.monotonic() + 10
    while members_of_group(group) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert members_of_group(group) == []


def test_kvm_is_chosen_when_a_guest_runs(machine: Machine) -> None:
    probe = machine(WORKS)
    assert chosen(probe).kind is Kind.KVM
    assert_gone(runs(probe)[0])


def test_device_that_opens_is_not_enough(machine: Machine) -> None:
    probe = replace(machine(HANGS), seconds=0.5)
    begun = time.monotonic()
    found = chosen(probe)
    assert time.monotonic() - begun < 10
    assert (found.kind, found.probed) == (Kind.TCG, True)
    assert "within 0.5 s" in found.reason
    assert_gone(runs(probe)[0])


def test_refusal_of_qemu_is_quoted(machine: Machine) -> None:
    found = chosen(machine(REFUSES))
    assert found.kind is Kind.TCG
    assert "Permission denied" in found.reason


def test_cancelled_probe_leaves_no_process(machine: Machine) -> None:
    probe = machine(HANGS)

    async def body() -> None:
        task = asyncio.ensure_future(run(probe, Kind.KVM))
        while not runs(probe):  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(body(), 20))
    assert_gone(runs(probe)[0])


def test_result_is_remembered(machine: Machine) -> None:
    probe = machine(WORKS)
    first, second = chosen(probe), chosen(probe)
    assert second.kind is first.kind
    assert "remembered" in second.reason
    assert len(runs(probe)) == 1
    chosen(probe, refresh=True)
    assert len(runs(probe)) == 2


def test_refusal_is_remembered_until_the_next_boot(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = machine(REFUSES)
    chosen(probe)
    chosen(probe)
    assert len(runs(probe)) == 1
    monkeypatch.setattr("ovis.node.hypervisor.acceleration._boot", lambda: "another boot")
    chosen(probe)
    assert len(runs(probe)) == 2


def test_other_machine_is_tried_anew(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = machine(WORKS)
    chosen(probe)
    monkeypatch.setattr("ovis.node.hypervisor.acceleration._cpu_model", lambda: "another CPU")
    chosen(probe)
    assert len(runs(probe)) == 2


@pytest.mark.parametrize("text", [b"", b"{", b'{"key": 1}'])
def test_damaged_memory_is_no_obstacle(machine: Machine, text: bytes) -> None:
    probe = machine(WORKS)
    state_file = probe.kernel.parent / "state" / "acceleration.json"
    state_file.parent.mkdir()
    state_file.write_bytes(text)
    assert chosen(probe).kind is Kind.KVM
    assert b"kvm" in state_file.read_bytes()


def test_what_was_not_tried_is_said(machine: Machine) -> None:
    probe = machine(WORKS)
    for lacking in (
        replace(probe, device=Path("/nowhere/kvm")),
        replace(probe, kernel=Path("/nowhere/vmlinuz")),
        replace(probe, emulator="/nowhere/qemu"),
    ):
        found = chosen(lacking)
        assert (found.kind, found.probed) == (Kind.TCG, False)
        assert "/nowhere" in found.reason
    assert runs(probe) == []


def test_configuration_decides_without_a_probe(machine: Machine) -> None:
    probe = machine(HANGS)
    for kind in Kind:
        assert chosen(probe, wanted=kind).kind is kind
    assert runs(probe) == []


def test_unwritable_memory_costs_only_the_memory(machine: Machine) -> None:
    probe = machine(WORKS)
    (probe.kernel.parent / "state").touch()  # a file where the folder should be
    assert chosen(probe).kind is Kind.KVM
    assert os.listdir(probe.kernel.parent).count("state") == 1
