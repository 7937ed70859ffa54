"""Hooks about CPU, memory, firmware and the machine as a whole."""

import os
from pathlib import Path

import pytest
from hook_bench import VM, Bench
from lxml import etree

from ovis.node.hooks.errors import HookFailed


def test_faqemu_emulates_and_claims_kvm(bench: Bench) -> None:
    root = bench.domain("faqemu")
    assert (root.get("type"), root.find("cpu").get("mode"), len(root.find("cpu"))) == ("qemu", "maximum", 0)
    assert bench.json("faqemu", "after_get_caps", {"kvmEnabled": "false"}) == {"kvmEnabled": "true"}


@pytest.mark.parametrize(("value", "page"), [("1048576", "1048576"), ("2048", "2048"), ("0", None)])
def test_hugepages_back_the_memory(bench: Bench, value: str, page: str | None) -> None:
    pages = bench.domain("hugepages", hugepages=value).find("memoryBacking/hugepages")
    assert [found.get("size") for found in pages] == ([page] if page else [])


def test_numa_takes_memory_from_nodes(bench: Bench) -> None:
    memory = bench.domain("numa", numa="strict:0,2-3").find("numatune/memory")
    assert dict(memory.attrib) == {"mode": "strict", "nodeset": "0,2-3"}


def test_pincpu_pins_all_cpus(bench: Bench) -> None:
    assert bench.domain("pincpu", pincpu="0-3,^2").find("vcpu").get("cpuset") == "0-3,^2"


@pytest.mark.parametrize("value", ["+invtsc,-vmx", '{"invtsc": "require", "vmx": "disable"}'])
def test_cpuflags_add_and_take_features(bench: Bench, value: str) -> None:
    features = bench.domain("cpuflags", cpuflags=value).findall("cpu/feature")
    assert {found.get("name"): found.get("policy") for found in features} == {"invtsc": "require", "vmx": "disable"}


def test_nestedvt_gives_what_the_host_allows(bench: Bench) -> None:
    features = bench.domain("nestedvt").findall("cpu/feature")
    modules = {
        "vmx": Path("/sys/module/kvm_intel/parameters/nested"),
        "svm": Path("/sys/module/kvm_amd/parameters/nested"),
    }
    allowed = {name for name, path in modules.items() if path.exists() and path.read_text().strip() in ("1", "Y")}
    assert {found.get("name") for found in features} == allowed | {"vmx"}
    text = "<domain><cpu mode='host-passthrough'/></domain>"
    assert len(bench.device("nestedvt", "before_vm_start", text).find("cpu")) == 0


def test_smbios_fills_tables_and_keeps_what_is_there(bench: Bench) -> None:
    root = bench.domain("smbios", smbios='{"system": {"manufacturer": "Acme"}, "chassis": {"asset": "7"}}')
    assert root.find("os/smbios").get("mode") == "sysinfo"
    assert root.findtext("sysinfo[@type='smbios']/system/entry[@name='manufacturer']") == "Acme"
    text = "<domain><sysinfo type='smbios'><system><entry name='serial'>1</entry><entry name='manufacturer'>x</entry></system></sysinfo><os/></domain>"  # noqa: E501
    again = bench.device("smbios", "before_vm_start", text, smbios='{"system": {"manufacturer": "Acme"}}')
    assert [found.text for found in again.findall("sysinfo/system/entry")] == ["1", "Acme"]


def test_qemucmdline_passes_words_on(bench: Bench) -> None:
    root = bench.domain("qemucmdline", qemu_cmdline='["-device", "virtio-rng-pci"]')
    words = [found.get("value") for found in root.iter("{http://libvirt.org/schemas/domain/qemu/1.0}arg")]
    assert words == ["-device", "virtio-rng-pci"]


def test_boot_hostdev_comes_first(bench: Bench) -> None:
    root = bench.domain("boot_hostdev", boot_hostdev="0000:3b:00.0")
    assert root.findall("os/boot") == []
    assert root.find("devices/hostdev/boot").get("order") == "1"
    assert [root.find(f"devices/{tag}/boot").get("order") for tag in ("disk", "interface")] == ["2", "3"]
    with pytest.raises(HookFailed, match="no such device"):
        bench.domain("boot_hostdev", boot_hostdev="0000:3b:00.1")


def test_httpsisoboot_reads_the_cd_from_the_web(bench: Bench) -> None:
    root = bench.domain("httpsisoboot", httpsisoboot="https://example.org/a/b.iso?x=1")
    source = root.find("devices/disk[@device='cdrom']/source")
    assert dict(source.attrib) == {"protocol": "https", "name": "a/b.iso", "query": "x=1"}
    assert dict(source.find("host").attrib) == {"name": "example.org", "port": "443"}
    assert [found.get("dev") for found in root.findall("os/boot")] == ["cdrom", "hd", "network"]


def test_smartcard_of_the_client(bench: Bench) -> None:
    found = bench.domain("smartcard", smartcard="true").findall("devices/smartcard")
    assert [dict(one.attrib) for one in found] == [{"mode": "passthrough", "type": "spicevmc"}]
    assert bench.domain("smartcard", smartcard="false").find("devices/smartcard") is None


def test_spiceoptions_tune_the_screen(bench: Bench) -> None:
    value = '{"image": {"compression": "auto_glz"}, "streaming": {"mode": "filter"}}'
    screen = bench.domain("spiceoptions", spiceoptions=value).find("devices/graphics")
    assert (screen.find("image").get("compression"), screen.find("streaming").get("mode")) == ("auto_glz", "filter")


def test_log_console_keeps_what_is_written(bench: Bench) -> None:
    log = bench.domain("log_console", log_console="true").find("devices/serial/log")
    assert dict(log.attrib) == {"file": "/var/log/libvirt/qemu/golden-console.log", "append": "on"}


def test_log_firmware_adds_the_debug_port(bench: Bench) -> None:
    port = bench.domain("log_firmware", log_firmware="/var/log/fw").find("devices/serial[@type='file']")
    assert port.find("source").get("path") == "/var/log/fw"
    assert port.find("target/model").get("name") == "isa-debugcon"


def test_hostusb_gives_devices_and_holds_the_vm_here(bench: Bench) -> None:
    found = bench.domain("hostusb", hostusb="0x1d6b:0x0002&46d:c52b").findall("devices/hostdev[@type='usb']/source")
    assert [(one.find("vendor").get("id"), one.find("product").get("id")) for one in found] == [
        ("0x1d6b", "0x0002"),
        ("0x046d", "0xc52b"),
    ]
    with pytest.raises(HookFailed, match="cannot be migrated"):
        bench.run("hostusb", "before_vm_migrate_source", "<domain/>", hostusb="1:2")


def test_fakevmstats_replace_figures_only(bench: Bench) -> None:
    before = [{"vmId": VM, "status": "Up", "cpuUser": "0.00", "memUsage": "5", "network": {"vnet0": {"rxRate": "0.0"}}}]
    (after,) = bench.json("fakevmstats", "after_get_all_vm_stats", before)
    assert (after["vmId"], after["status"]) == (VM, "Up")
    assert 0 <= float(after["cpuUser"]) <= 80
    assert isinstance(after["memUsage"], str)


@pytest.mark.parametrize(
    ("name", "name_of_property", "value"),
    [
        ("hugepages", "hugepages", "many"), ("numa", "numa", "0-3"), ("pincpu", "pincpu", "all"),
        ("cpuflags", "cpuflags", "vmx"), ("cpuflags", "cpuflags", "+a b"), ("smbios", "smbios", "[]"),
        ("smbios", "smbios", "{"), ("qemucmdline", "qemu_cmdline", '{"a": 1}'), ("hostusb", "hostusb", "usb"),
        ("boot_hostdev", "boot_hostdev", "eth0"), ("spiceoptions", "spiceoptions", '{"x": {}}'),
        ("httpsisoboot", "httpsisoboot", "/x.iso"),
    ],
)  # fmt: skip
def test_nonsense_refuses_the_start_and_says_why(bench: Bench, name: str, name_of_property: str, value: str) -> None:
    with pytest.raises(HookFailed, match=f"{name_of_property}="):
        bench.domain(name, **{name_of_property: value})
    assert os.listdir(bench.folder / "run") == []


def test_the_golden_domain_is_a_good_one() -> None:
    assert etree.parse(Path(__file__).parent / "domain.xml").getroot().tag == "domain"
