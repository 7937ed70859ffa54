"""The probe with the real QEMU and the real tiny guest."""

import asyncio
import time
from pathlib import Path

import pytest

from deploy.guest.tiny_guest import TinyGuest
from ovis.node.hypervisor.acceleration import Kind, Probe, choose, run


def test_probe_sees_a_guest_that_runs(guest_image: TinyGuest) -> None:
    """Emulation works everywhere: this proves that the probe can succeed."""
    found = asyncio.run(run(Probe(guest_image.kernel, guest_image.initrd, seconds=60), Kind.TCG))
    assert found.reason.startswith("a guest ran under TCG")


def test_probe_of_kvm_ends_in_time(guest_image: TinyGuest, tmp_path: Path) -> None:
    """Which way it goes is up to the machine; that it ends and says why is not."""
    if not Path("/dev/kvm").exists():
        pytest.skip("there is no /dev/kvm")
    probe = Probe(guest_image.kernel, guest_image.initrd)
    begun = time.monotonic()
    found = asyncio.run(choose(probe, state_file=tmp_path / "acceleration.json"))
    assert time.monotonic() - begun < probe.seconds + 7
    assert found.probed
    assert found.reason
    begun = time.monotonic()
    assert asyncio.run(choose(probe, state_file=tmp_path / "acceleration.json")).kind is found.kind
    assert time.monotonic() - begun < probe.seconds / 2
