"""Digests of TPMs and UEFI variables come into the statistics by themselves, and TPMs go with their VMs."""

import asyncio
import dataclasses
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from vm_host import ID, VmHost, vm_host

from ovis.node.hypervisor.simulated import Guest, SimulatedHypervisor
from ovis.node.vm import ending, external_data, external_files, external_watch
from ovis.node.vm.settings import VmSettings
from ovis.node.vm.store import Intent

TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"


def write(folder: Path, text: str) -> None:
    path = folder / "swtpm" / ID / "tpm2" / "tpm2-00.permall"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1e6 + len(text), 1e6))
    for above in (path.parent, path.parent.parent):
        os.utime(above, (1e6, 1e6))


def settings(folder: Path) -> VmSettings:
    return dataclasses.replace(VmSettings(allowed_paths=(folder,)), swtpm_folder=folder / "swtpm")


def run(folder: Path, body: Callable[[VmHost], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), vm_host(folder / "state", settings=settings(folder)) as host:
            await host.started(devices=TPM)
            await body(host)

    write(folder, "first")
    asyncio.run(whole())


def told(host: VmHost) -> object:
    return json.loads(host.vms.stats_json(host.vms.find(ID))).get("tpmHash")


def test_a_change_is_told_by_its_digest(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        assert told(host) is None
        await external_watch.look(host.vms)
        first = told(host)
        assert first
        write(tmp_path, "second one")
        await external_watch.look(host.vms)
        assert told(host) not in (None, first)

    run(tmp_path, body)


def test_what_has_not_changed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(host: VmHost) -> None:
        await external_watch.look(host.vms)
        first = told(host)
        monkeypatch.setattr(external_files, "_read_file", None)
        await external_watch.look(host.vms)
        assert told(host) == first

    run(tmp_path, body)


def test_files_that_cannot_be_read_keep_the_digest_known_last(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        await external_watch.look(host.vms)
        first = told(host)
        (tmp_path / "swtpm" / ID / "tpm2" / "tpm2-00.permall").unlink()
        await external_watch.look(host.vms)
        assert told(host) == first

    run(tmp_path, body)


def test_contents_outlive_the_end_of_the_vm_and_go_when_it_is_destroyed(tmp_path: Path) -> None:
    async def body(host: VmHost) -> None:
        vm = host.vms.find(ID)
        assert "persistent_state='yes'" in vm.xml.replace('"', "'")
        host.hypervisor.stop(ID, "shutdown")
        await host.until(lambda: vm.is_down)
        assert (await external_data.get(host.vms, vm, external_data.Kind.TPM, force=True)).data
        await ending.destroy(host.vms, vm, graceful_attempts=0)
        assert not (tmp_path / "swtpm" / ID).exists()

    run(tmp_path, body)


def test_a_destroy_that_a_crash_has_cut_short_is_finished(tmp_path: Path) -> None:
    async def main() -> None:
        hypervisor = SimulatedHypervisor(guest=Guest(agent_after=None))
        async with vm_host(tmp_path / "state", hypervisor, settings=settings(tmp_path)) as host:
            await host.started(devices=TPM)
            await host.vms.save(host.vms.find(ID), Intent.DESTROYING)
        async with vm_host(tmp_path / "state", hypervisor, settings=settings(tmp_path)) as host:
            assert host.vms.get(ID) is None
        await hypervisor.close()

    write(tmp_path, "first")
    asyncio.run(main())
    assert not (tmp_path / "swtpm" / ID).exists()
