"""Descriptions made from plain parameters, compared with the files in golden/.

To accept a wanted change: OVIS_ACCEPT=1 pytest tests/node/vm/test_domain_xml.py, then read the difference.
"""

import os
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from ovis.client import codec, verbs
from ovis.client.types import VmDevice, VmParameters
from ovis.node.vm import domain_xml
from ovis.node.vm.devices import kinds
from ovis.node.vm.settings import VmSettings

GOLDEN = Path(__file__).parent / "golden"
ID = "11111111-2222-4333-8444-555555555555"

HOST_DEVICES = {
    "pci_0000_3b_00_1": "<device><name>pci_0000_3b_00_1</name><capability type='pci'><domain>0</domain><bus>59</bus>"
    "<slot>0</slot><function>1</function></capability></device>"
}

CASES: dict[str, dict[str, object]] = {
    "smallest": {"memSize": 128},
    "everything-q35": {
        "vmName": "all",
        "memSize": 1024,
        "maxMemSize": 4096,
        "memGuaranteedSize": 512,
        "smp": 2,
        "maxVCpus": 8,
        "smpCoresPerSocket": 2,
        "smpThreadsPerCore": 2,
        "cpuType": "Haswell,+pcid,-svm",
        "cpuShares": "2048",
        "emulatedMachine": "q35",
        "timeOffset": -3600,
        "bootMenuEnable": True,
        "hypervEnable": True,
        "launchPaused": True,
        "agentChannelName": "ovirt-guest-agent.0",
        "custom": {"sap_agent": "true"},
        "devices": [
            {"deviceType": "disk", "device": "disk", "path": "/d/a.qcow2", "format": "cow", "iface": "virtio",
             "bootOrder": 1, "imageID": "aaaaaaaa-2222-4333-8444-555555555555"},
            {"deviceType": "disk", "device": "disk", "path": "/d/b.raw", "format": "raw", "iface": "scsi",
             "readonly": True, "shared": "shared", "propagateErrors": True},
            {"deviceType": "disk", "device": "lun", "path": "/d/lun", "format": "raw", "iface": "scsi"},
            {"deviceType": "disk", "device": "cdrom", "path": "/d/c.iso"},
            {"deviceType": "disk", "device": "cdrom", "name": "sdd"},
            {"deviceType": "interface", "device": "bridge", "network": "ovirtmgmt", "nicModel": "pv",
             "macAddr": "52:54:00:00:00:01", "linkActive": True, "bootOrder": 2, "filter": "clean-traffic",
             "filterParameters": [{"name": "IP", "value": "192.0.2.7"}]},
            {"deviceType": "graphics", "device": "vnc", "specParams": {"keyMap": "de"}},
            {"deviceType": "graphics", "device": "spice", "port": 5999},
            {"deviceType": "video", "device": "qxl", "specParams": {"vram": 32768, "ram": 65536, "heads": 2}},
            {"deviceType": "console", "specParams": {"consoleType": "serial"}},
            {"deviceType": "channel", "device": "unix"},
            {"deviceType": "channel", "device": "spicevmc"},
            {"deviceType": "balloon", "device": "memballoon", "specParams": {"model": "virtio"}},
            {"deviceType": "rng", "device": "virtio", "model": "virtio",
             "specParams": {"source": "random", "bytes": 1024, "period": 2000}},
            {"deviceType": "controller", "device": "usb", "model": "qemu-xhci"},
            {"deviceType": "watchdog", "device": "watchdog", "specParams": {"model": "i6300esb", "action": "reset"}},
            {"deviceType": "sound", "device": "hda"},
            {"deviceType": "smartcard", "device": "smartcard",
             "specParams": {"mode": "passthrough", "type": "spicevmc"}},
            {"deviceType": "tpm", "device": "tpm", "specParams": {"mode": "emulator", "model": "tpm-crb"}},
            {"deviceType": "hostdev", "device": "pci_0000_3b_00_1", "bootOrder": 3},
        ],
    },
    "old-pc": {
        "memSize": 64,
        "acpiEnable": False,
        "pitReinjection": False,
        "cpuType": "hostPassthrough",
        "display": "vnc",
        "devices": [
            {"deviceType": "disk", "device": "disk", "path": "/d/a", "format": "raw", "iface": "ide"},
            {"deviceType": "disk", "device": "cdrom"},
            {"deviceType": "disk", "device": "floppy", "path": "/d/floppy"},
            {"deviceType": "interface", "device": "bridge", "network": "n", "nicModel": "rtl8139",
             "macAddr": "52:54:00:00:00:02", "linkActive": False},
            {"deviceType": "video", "device": "std", "specParams": {"vram": 16384}},
            {"deviceType": "video", "device": "none"},
            {"deviceType": "console", "specParams": {"consoleType": "virtio"}},
            {"deviceType": "balloon", "device": "memballoon", "specParams": {"model": "none"}},
            {"deviceType": "rng", "device": "virtio", "model": "virtio", "specParams": {"source": "hwrng"}},
            {"type": "lease", "lease_id": ID, "sd_id": "22222222-2222-4333-8444-555555555555"},
        ],
    },
}  # fmt: skip


def parameters(case: dict[str, object]) -> VmParameters:
    raw = msgspec.json.encode({"vmID": ID, "vmParams": case})
    found: VmParameters = codec.decode_arguments("VM.create", raw).vm_params
    return found


@pytest.mark.parametrize("name", CASES)
def test_description_is_as_accepted(name: str) -> None:
    root = domain_xml.build(
        ID, parameters(CASES[name]), VmSettings(), block_paths=frozenset({"/d/lun"}), host_devices=HOST_DEVICES
    )
    etree.indent(root)
    made = etree.tostring(root, encoding="unicode") + "\n"
    file = GOLDEN / f"{name}.xml"
    if os.environ.get("OVIS_ACCEPT"):
        file.write_text(made)
    assert made == file.read_text()


def test_every_kind_of_device_that_is_built_stands_in_a_case() -> None:
    used = {type(device) for case in CASES.values() for device in parameters(case).devices or []}
    assert used == set(kinds.BY_GIVEN)
    assert set(kinds.BY_GIVEN) <= set(verbs.UNION_MEMBERS[VmDevice])
