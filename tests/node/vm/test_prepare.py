"""What is refused before anything has changed, and what a description looks like when libvirt gets it."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree
from vm_host import ID, xml

from ovis.client import codec
from ovis.client.types import VmParameters
from ovis.node.errors import BadParameter, MissingParameter, NodeError
from ovis.node.hypervisor.simulated import SimulatedHypervisor
from ovis.node.vm import metadata
from ovis.node.vm.errors import BadXml, NotEnoughMemory
from ovis.node.vm.host_limits import HostLimits, HostLimitsReader
from ovis.node.vm.prepare import Prepared, Preparer
from ovis.node.vm.settings import VmSettings

LIMITS = HostLimits(
    4 << 30, frozenset({"pc", "q35", "pc-q35-7.2"}), frozenset({"/usr/bin/qemu-system-x86_64"}), frozenset()
)
NOW = 1700000000.25


def prepare(folder: Path, given: VmParameters, *, vm_id: str = ID, **settings: Any) -> Prepared:
    async def main() -> Prepared:
        preparer = Preparer(VmSettings(allowed_paths=(folder,), **settings))
        try:
            return await preparer.prepare(vm_id, given, LIMITS, now=NOW)
        finally:
            preparer.close()

    return asyncio.run(main())


def of(text: str) -> VmParameters:
    return VmParameters(xml=text)


def plain(**members: object) -> VmParameters:
    """As it comes from the wire: sizes in MiB."""
    raw = msgspec.json.encode({"vmID": ID, "vmParams": members})
    found: VmParameters = codec.decode_arguments("VM.create", raw).vm_params
    return found


def disk(path: object, **more: object) -> dict[str, object]:
    return {"deviceType": "disk", "device": "disk", "path": str(path), **more}


def test_the_machines_of_the_host_are_read_from_libvirt() -> None:
    limits = asyncio.run(HostLimitsReader(SimulatedHypervisor()).get())
    assert {"pc", "q35", "pc-q35-7.2"} <= limits.machines
    assert limits.memory == 64 << 30


MALFORMED = [
    ("<domain>", "not well-formed"),
    ("", "not well-formed"),
    ("\0", "not well-formed"),
    ("<network/>", "root element"),
    ("<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;</domain>", "DOCTYPE"),
    ('<!DOCTYPE domain SYSTEM "http://192.0.2.1/x.dtd"><domain/>', "DOCTYPE"),
    ("<domain>&unknown;</domain>", "not well-formed"),
    ('<domain xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd"/></domain>', "inclusion"),
    (
        '<domain xmlns:q="http://libvirt.org/schemas/domain/qemu/1.0"><q:commandline/></domain>',
        "command line",
    ),
    ("<domain>" + "<a/>" * (1 << 20) + "</domain>", "bytes"),
    ("<domain>" + "<a>" * 5000 + "</a>" * 5000 + "</domain>", "not well-formed"),
]


@pytest.mark.parametrize(("text", "problem"), MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_and_dangerous_xml_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadXml, match=problem) as refused:
        prepare(tmp_path, of(text))
    assert refused.value.field.startswith("vmParams.xml")


@pytest.mark.parametrize("encoding", ["UTF-16", "latin-1", "UTF-7"])
def test_the_encoding_that_xml_claims_is_ignored(tmp_path: Path, encoding: str) -> None:
    assert prepare(tmp_path, of(f"<?xml version='1.0' encoding='{encoding}'?>{xml(name='ä')}")).definition.name == "ä"


WRONG = [
    ("<memory unit='MiB'>128", "<memory unit='MiB'>0", "domain/memory: must be above 0"),
    ("<memory unit='MiB'>128", "<memory unit='MiB'>lots", "domain/memory: 'lots' is not a whole number"),
    ("<memory unit='MiB'>128", "<memory unit='MiB'>-1", "domain/memory: '-1' is not a whole number"),
    ("<memory unit='MiB'>128", "<memory unit='MiB'>" + "9" * 30, "domain/memory: .* beyond every machine"),
    ("<memory unit='MiB'>128", "<memory unit='barrels'>128", "domain/memory: the unit 'barrels'"),
    ("<memory unit='MiB'>128</memory>", "", "domain/memory: is missing"),
    ("<vcpu>1", "<vcpu>none", "domain/vcpu"),
    ("<vcpu>1", "<vcpu>0", "domain/vcpu"),
    ("machine='q35'", "machine='sun4m'", "machine: 'sun4m' is no machine type"),
    (ID, "22222222-2222-4333-8444-555555555555", "domain/uuid: 2222.* is not the vmID"),
    (ID, "no uuid", "domain/uuid: 'no uuid' is not a UUID"),
    (f"<uuid>{ID}</uuid>", "", "domain/uuid: is missing"),
    ("<name>one", "<name>", "domain/name: is missing"),
    ("<name>one", "<name>../one", "domain/name"),
    ("type='kvm'", "type='xen'", "domain/@type"),
]


@pytest.mark.parametrize(("part", "instead", "problem"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_value_is_named(tmp_path: Path, part: str, instead: str, problem: str) -> None:
    with pytest.raises(BadParameter, match=problem):
        prepare(tmp_path, of(xml().replace(part, instead)))


@pytest.mark.parametrize("number", ["²", "9" * 400, "9" * 5000, "٣", "1e3", "-"])
def test_a_number_that_is_none_is_refused_or_counts_as_absent(tmp_path: Path, number: str) -> None:
    with pytest.raises(BadXml, match="vcpu"):
        prepare(
            tmp_path, of(xml().replace("<features>", f"<vcpu>{number}</vcpu><features>").replace("<vcpu>1</vcpu>", ""))
        )
    (tmp_path / "disk").touch()
    odd = f"""<clock offset='variable' adjustment='{number}'/><vcpu current='{number}'>1</vcpu><features>"""
    devices = f"""<graphics type='vnc' port='{number}'/>
        <disk type='file'><source file='{tmp_path}/disk'/><target dev='vda'/><boot order='{number}'/></disk>"""
    text = xml(devices=devices).replace("<vcpu>1</vcpu>", "").replace("<features>", odd)
    found = prepare(tmp_path, of(text)).definition
    assert (found.time_offset, found.vcpus, found.graphics[0].port, found.disks[0].boot_order) == (0, 1, -1, None)


def test_more_memory_than_the_host_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughMemory, match="domain/memory: 8192 MiB are wanted, the host has 4096 MiB"):
        prepare(tmp_path, of(xml().replace(">128<", ">8192<")))
    with pytest.raises(NotEnoughMemory, match=r"vmParams\.memSize"):
        prepare(tmp_path, plain(memSize=8192))


def with_devices(devices: str) -> VmParameters:
    return of(xml(devices=devices))


OUTSIDE = [
    "<disk type='file'><source file='/etc/passwd'/><target dev='vda'/></disk>",
    "<disk type='file'><source file='{allowed}/../../../../../../etc/passwd'/><target dev='vda'/></disk>",
    "<disk type='file'><source file='{allowed}/link'/><target dev='vda'/></disk>",
    "<disk type='block'><source dev='/dev/null'/><target dev='vda'/></disk>",
    "<disk type='file'><source file='{allowed}/disk'><x><source file='/etc/passwd'/></x></source></disk>",
    "<serial type='file'><source path='/etc/cron.d/x'/></serial>",
    "<serial type='pty'><log file='/etc/cron.d/x'/></serial>",
    "<channel type='unix'><source mode='bind' path='/run/x'/><target type='virtio' name='y'/></channel>",
    "<filesystem type='mount'><source dir='/etc'/><target dir='etc'/></filesystem>",
    "<emulator>/bin/sh</emulator>",
    "<rng model='virtio'><backend model='random'>/dev/sda</backend></rng>",
    "<tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/sda'/></backend></tpm>",
    "<emulator><!-- -->/bin/sh</emulator>",
    "<memory model='nvdimm'><source><path>/etc/shadow</path></source></memory>",
    "<hostdev mode='capabilities' type='misc'><source><char>/dev/mem</char></source></hostdev>",
    "<serial type='unix'><source mode='connect' path='/var/lib/libvirt/qemu/domain-1-x/monitor.sock'/></serial>",
]


@pytest.mark.parametrize("devices", OUTSIDE, ids=range(len(OUTSIDE)))
def test_a_path_outside_the_allowed_places_is_refused(tmp_path: Path, devices: str) -> None:
    (tmp_path / "disk").touch()
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(BadParameter, match=r"outside of the places|is no QEMU"):
        prepare(tmp_path, with_devices(devices.format(allowed=tmp_path)))


@pytest.mark.parametrize(
    "devices",
    [
        "<interface type='ethernet'><script path='evil'/></interface>",
        "<serial type='file'><source path='etc/cron.d/x'/></serial>",
        "<rng model='virtio'><backend model='random'>dev/sda</backend></rng>",
    ],
)
def test_where_a_path_belongs_only_a_whole_one_passes(tmp_path: Path, devices: str) -> None:
    with pytest.raises(BadParameter, match="not an absolute path"):
        prepare(tmp_path, with_devices(devices))
    with pytest.raises(BadParameter, match="not an absolute path"):
        prepare(tmp_path, of(xml().replace("<features>", "<os><kernel>etc/shadow</kernel></os><features>")))


def test_text_beside_elements_is_refused_for_libvirt_would_join_it(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="text beside other elements"):
        prepare(tmp_path, with_devices("<emulator><a/>/bin/sh</emulator>"))


def test_the_agent_is_free_again_soon_after_the_worst_xml(tmp_path: Path) -> None:
    attributes = " ".join(f"a{number}='1'" for number in range(150_000))
    for worst in (f"<a {attributes}/>", "<a/>" * 400_000):
        began = time.monotonic()
        with pytest.raises(BadXml, match="more than"):
            prepare(tmp_path, with_devices(worst))
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    "outer",
    [
        "<sysinfo type='fwcfg'><entry name='opt/x' file='/etc/shadow'/></sysinfo>",
        "<os><kernel>/etc/shadow</kernel></os>",
        "<os><acpi><table type='slic'>/etc/shadow</table></acpi></os>",
        "<os><nvram template='/etc/shadow'/></os>",
    ],
)
def test_paths_beside_the_devices_are_looked_at_too(tmp_path: Path, outer: str) -> None:
    with pytest.raises(BadParameter, match="outside of the places"):
        prepare(tmp_path, of(xml().replace("<features>", f"{outer}<features>")))


def test_a_password_may_begin_like_a_path(tmp_path: Path) -> None:
    assert 'passwd="/x"' in prepare(tmp_path, with_devices("<graphics type='vnc' passwd='/x'/>")).xml


@pytest.mark.skipif(not Path("/dev/loop0").is_block_device(), reason="needs a block device to lead to")
def test_only_links_of_the_agent_itself_lead_to_devices(tmp_path: Path) -> None:
    own, allowed, master = (tmp_path / name for name in ("links/d/images/i", "domain", "links/d/master/i"))
    for folder in (own, allowed, master):
        folder.mkdir(parents=True)
        (folder / "disk").symlink_to("/dev/loop0")
    (own / "file").symlink_to("/etc/passwd")
    (own.parent / "elsewhere").symlink_to(allowed)
    (tmp_path / "pool").symlink_to(tmp_path / "links")

    def start(path: Path) -> None:
        text = f"<disk type='block'><source dev='{path}'/><target dev='vda'/></disk>"
        prepare(allowed, with_devices(text), device_links=(f"{tmp_path}/links/*/images/*",))

    start(own / "disk")
    start(tmp_path / "pool/d/images/i/disk")
    wrong = [allowed / "disk", own / "file", own.parent / "elsewhere/disk", own / "../../master/i/disk"]
    for refused in (*wrong, master / "disk", Path("/dev/loop0")):
        with pytest.raises(BadParameter, match="outside of the places"):
            start(refused)


def test_a_missing_disk_is_named_with_its_target(tmp_path: Path) -> None:
    source = f"<disk type='file'><source file='{tmp_path}/none'/><target dev='vdb'/></disk>"
    with pytest.raises(BadParameter, match=r"disk vdb source/@file: .*none: there is no such file"):
        prepare(tmp_path, with_devices(source))


def test_a_disk_must_be_a_file_or_device_with_an_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    for path, problem in ((f"{tmp_path}/folder", "neither a file"), (f"{tmp_path}/fifo", "neither"), ("x", "absolute")):
        with pytest.raises(BadParameter, match=problem):
            prepare(tmp_path, with_devices(f"<disk type='file'><source file='{path}'/><target dev='vda'/></disk>"))


def test_a_disk_of_the_network_is_passed_on_as_it_is(tmp_path: Path) -> None:
    source = "<source protocol='nfs' name='/export/image'><host name='nas'/></source>"
    disk = f"<disk type='network' device='disk'><driver name='qemu' type='raw'/>{source}<target dev='vda'/></disk>"
    found = prepare(tmp_path, with_devices(disk))
    assert etree.canonicalize(source) in etree.canonicalize(found.xml)
    assert [(disk.path, disk.backing) for disk in found.definition.disks] == [(None, "nfs://nas//export/image")]
    with pytest.raises(BadParameter, match="disk vda: has no source with a protocol"):
        prepare(tmp_path, with_devices(disk.replace("protocol='nfs'", "")))


def test_the_socket_of_a_server_must_lie_in_an_allowed_place(tmp_path: Path) -> None:
    disk = """<disk type='network'><source protocol='nbd'><host transport='unix' socket='{}'/></source>
      <target dev='vda'/></disk>"""
    prepare(tmp_path, with_devices(disk.format(tmp_path / "nbd.sock")))
    with pytest.raises(BadParameter, match="outside of the places"):
        prepare(tmp_path, with_devices(disk.format("/run/libvirt/qemu/monitor.sock")))


@pytest.mark.parametrize("kind", ["volume", "nvme", "dir"])
def test_other_kinds_of_disks_are_not_supported_yet(tmp_path: Path, kind: str) -> None:
    source = f"<disk type='{kind}'><source protocol='rbd' name='x'/><target dev='vda'/></disk>"
    with pytest.raises(BadParameter, match=f"type {kind} are not supported yet"):
        prepare(tmp_path, with_devices(source))


def test_allowed_disks_empty_drives_and_random_devices_pass(tmp_path: Path) -> None:
    (tmp_path / "disk").touch()
    (tmp_path / "inside").symlink_to(tmp_path / "disk")
    devices = f"""
      <disk type='file' device='disk'><source file='{tmp_path}/disk'/><target dev='vda'/></disk>
      <disk type='file' device='disk'><source file='{tmp_path}/inside'/><target dev='vdb'/></disk>
      <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
      <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>"""
    found = prepare(tmp_path, with_devices(devices)).definition
    assert [disk.path for disk in found.disks] == [f"{tmp_path}/disk", f"{tmp_path}/inside", None]


def test_an_empty_drive_as_engines_write_it_and_a_missing_optional_medium_pass(tmp_path: Path) -> None:
    devices = f"""
      <disk device='cdrom'><source file='' startupPolicy='optional'/><target dev='sda'/></disk>
      <disk device='cdrom'><source file='{tmp_path}/gone' startupPolicy='optional'/><target dev='sdb'/></disk>"""
    assert len(prepare(tmp_path, with_devices(devices)).definition.disks) == 2
    with pytest.raises(BadParameter, match="outside"):
        prepare(tmp_path, with_devices(devices.replace(str(tmp_path), "/etc")))


def test_software_emulation_that_was_asked_for_stays(tmp_path: Path) -> None:
    assert prepare(tmp_path, plain(memSize=64, kvmEnable=False), virt_type="kvm").definition.virt_type == "qemu"


def test_placeholders_are_filled(tmp_path: Path) -> None:
    sysinfo = """<sysinfo type='smbios'><system><entry name='product'>OS-NAME:</entry>
      <entry name='version'>OS-VERSION:</entry><entry name='serial'>HOST-SERIAL:</entry>
      <entry name='family'>HOST-SERIAL: kept</entry></system></sysinfo>"""
    given = of(xml().replace("<features>", sysinfo + "<features>"))
    done = prepare(tmp_path, given, os_name="Debian", os_version="12", host_serial="abc")
    entries = {e.get("name"): e.text for e in etree.fromstring(done.xml).iterfind("sysinfo/system/entry")}
    assert entries == {"product": "Debian", "version": "12", "serial": "abc", "family": "HOST-SERIAL: kept"}


def test_without_kvm_the_description_is_made_to_run_in_software(tmp_path: Path) -> None:
    cpu = "<cpu mode='host-passthrough' check='none' migratable='on'><feature policy='require' name='vmx'/></cpu>"
    features = "<features><acpi/><hyperv><relaxed state='on'/></hyperv>"
    given = of(xml().replace("<features><acpi/>", cpu + features))
    root = etree.fromstring(prepare(tmp_path, given, virt_type="qemu").xml)
    assert root.get("type") == "qemu"
    assert root.find("features/hyperv") is None
    found = root.find("cpu")
    assert found is not None
    assert (dict(found.attrib), len(found)) == ({"mode": "maximum"}, 0)


def test_features_that_software_lacks_are_no_longer_required(tmp_path: Path) -> None:
    cpu = "<cpu match='exact'><model>Haswell</model><feature policy='require' name='invtsc'/></cpu><features>"
    root = etree.fromstring(prepare(tmp_path, of(xml().replace("<features>", cpu)), virt_type="qemu").xml)
    (feature,) = root.iterfind("cpu/feature")
    assert (feature.get("policy"), root.findtext("cpu/model")) == ("optional", "Haswell")


def test_with_kvm_the_description_stays_as_it_is(tmp_path: Path) -> None:
    text = xml().replace("<features>", "<cpu mode='host-passthrough'/><features><hyperv/>")
    root = etree.fromstring(prepare(tmp_path, of(text)).xml)
    metadata.write(root, {"startTime": None})
    assert canonical(root) == canonical(etree.fromstring(text))


def canonical(root: etree._Element) -> bytes:
    for element in root.iter():
        element.tail = element.text = (element.text or "").strip() or None
    return etree.tostring(root, method="c14n")


def test_labels_of_absent_security_drivers_go_and_others_stay(tmp_path: Path) -> None:
    labels = "<seclabel type='dynamic' model='selinux'/><seclabel type='none' model='dac'/></domain>"
    root = etree.fromstring(prepare(tmp_path, of(xml().replace("</domain>", labels))).xml)
    assert [label.get("model") for label in root.iter("seclabel")] == ["dac"]


def test_graphics_of_a_libvirt_network_listen_on_the_display_address(tmp_path: Path) -> None:
    graphics = (
        "<graphics type='vnc' port='-1' autoport='yes'><listen type='network' network='vdsm-ovirtmgmt'/></graphics>"
    )
    found = prepare(tmp_path, with_devices(graphics), display_address="192.0.2.1").definition
    assert [g.listen for g in found.graphics] == ["192.0.2.1"]


def test_agent_channels_lose_their_socket_path_only(tmp_path: Path) -> None:
    path = "/var/lib/libvirt/qemu/channels/x.org.qemu.guest_agent.0"
    text = xml().replace("<channel type='unix'>", f"<channel type='unix'><source mode='bind' path='{path}'/>")
    done = prepare(tmp_path, of(text))
    assert path not in done.xml
    assert done.definition.has_agent_channel


def test_the_metadata_gets_the_start_time_and_keeps_the_rest(tmp_path: Path) -> None:
    inner = """<ovirt-vm:custom><ovirt-vm:hugepages>1048576</ovirt-vm:hugepages></ovirt-vm:custom>
      <ovirt-vm:device mac_address='52:54:00:00:00:01'><ovirt-vm:network>x</ovirt-vm:network></ovirt-vm:device>
      <ovirt-vm:minGuaranteedMemoryMb type='int'>64</ovirt-vm:minGuaranteedMemoryMb>"""
    done = prepare(tmp_path, of(xml(metadata=inner)))
    assert done.definition.metadata == {"minGuaranteedMemoryMb": 64, "startTime": NOW}
    assert done.definition.custom == {"hugepages": "1048576"}
    assert done.definition.guaranteed_memory == 64 << 20
    assert "<ovirt-vm:network>x</ovirt-vm:network>" in done.xml


PLAIN: list[tuple[dict[str, object], type[NodeError], str]] = [
    ({}, MissingParameter, r"vmParams\.memSize is missing"),
    ({"memSize": 0}, BadParameter, r"vmParams\.memSize: must be above 0"),
    ({"memSize": 64, "smp": 0}, BadParameter, r"vmParams\.smp"),
    ({"memSize": 64, "smp": 4, "maxVCpus": 2}, BadParameter, r"vmParams\.maxVCpus"),
    ({"memSize": 64, "maxMemSize": 32}, BadParameter, r"vmParams\.maxMemSize"),
    ({"memSize": 64, "emulatedMachine": "sun4m"}, BadParameter, r"vmParams\.emulatedMachine"),
    ({"memSize": 64, "cpuType": "qemu64,vmx"}, BadParameter, r"vmParams\.cpuType"),
    ({"memSize": 64, "vmName": "a/b"}, BadParameter, "domain/name"),
    ({"memSize": 64, "custom": {"not a name": "x"}}, BadParameter, r"vmParams\.custom"),
    ({"memSize": 64, "memoryDumpVolume": {"x": "y"}}, BadParameter, r"vmParams\.memoryDumpVolume"),
    ({"memSize": 64, "devices": [disk("/etc/passwd")]}, BadParameter, "outside of the places"),
    ({"memSize": 64, "devices": [{"deviceType": "disk", "device": "disk"}]}, BadParameter, r"devices\[0\]\.path"),
    ({"memSize": 64, "devices": [disk("/x", diskType="network")]}, BadParameter, r"devices\[0\].protocol: is missing"),
    (
        {"memSize": 64, "devices": [{"deviceType": "tpm", "device": "tpm", "specParams": {
            "mode": "passthrough", "model": "tpm-tis", "path": "/dev/tpm0"}}]},
        BadParameter, "outside of the places",
    ),
    ({"memSize": 64, "devices": [{"deviceType": "hostdev", "device": "pci_0"}]}, BadParameter, "no device"),
    ({"memSize": 64, "devices": [{"deviceType": "memory"}]}, BadParameter, r"devices\[0\]: .*not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kind", "problem"), PLAIN, ids=range(len(PLAIN)))
def test_wrong_plain_parameters_are_named(
    tmp_path: Path, given: dict[str, object], kind: type[NodeError], problem: str
) -> None:
    with pytest.raises(kind, match=problem):
        prepare(tmp_path, plain(**given))


def test_storage_that_hangs_costs_only_its_own_creation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from ovis.node.vm.paths import PathRules

    release = threading.Event()
    monkeypatch.setattr(PathRules, "check", lambda *_: release.wait(5))
    (tmp_path / "disk").touch()
    source = f"<disk type='file'><source file='{tmp_path}/disk'/><target dev='vda'/></disk>"
    with pytest.raises(BadParameter, match="does not answer"):
        prepare(tmp_path, with_devices(source), path_deadline=0.05)
    release.set()
