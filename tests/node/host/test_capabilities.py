from collections.abc import Callable

import msgspec
import pytest

from ovis.client import codec
from ovis.client.types import AutoNumaBalancingStatus, SoftwarePackageInfo, VdsmCapabilities, VmRngDeviceSource
from ovis.node.host.capabilities import capabilities, read_machine
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.libvirt_facts import LibvirtFacts
from ovis.node.host.network import NetworkSource
from ovis.node.host.packages import PackageReader
from ovis.node.hypervisor.acceleration import Acceleration, Kind
from ovis.node.hypervisor.interface import Versions

Tree = Callable[[str], KernelFiles]
LIBVIRT = LibvirtFacts(("pc", "q35"), ("EPYC", "Nehalem"), 2_900_000_000, True, Versions("10.0.0", "8.2.0"))
SLOW = Acceleration(Kind.TCG, "/dev/kvm is not there")


def describe(
    files: KernelFiles, *, acceleration: Acceleration = SLOW, implemented: set[str] | None = None
) -> VdsmCapabilities:
    machine = read_machine(files, "host-1", PackageReader(files), NetworkSource(list, dict))
    return capabilities(files, machine, LIBVIRT, acceleration, implemented or set())


def test_processor_topology_and_models(tree: Tree) -> None:
    found = describe(tree("two-sockets"))
    assert (found.cpu_sockets, found.cpu_cores, found.cpu_threads) == (2, 4, 8)
    assert found.cpu_flags == "fpu,vmx,sse2,aes,model_EPYC,model_Nehalem"
    assert found.online_cpus == "0,1,2,3,4,5,6,7"
    assert found.cpu_topology is not None
    assert found.cpu_topology[7].numa_cell_id == 1
    assert (found.tsc_frequency, found.tsc_scaling) == ("2900000000", True)


def test_memory_and_numa(tree: Tree) -> None:
    found = describe(tree("two-sockets"))
    assert found.mem_size == 64 << 30
    assert found.numa_nodes["0"].cpus == [0, 1, 4, 5]
    assert found.numa_node_distance == {"0": [10, 21], "1": [21, 10]}
    assert found.hugepages == [2 << 20, 1 << 30]
    assert found.auto_numa_balancing is AutoNumaBalancingStatus.ENABLED


def test_security_and_devices(tree: Tree) -> None:
    found = describe(tree("two-sockets"))
    assert found.selinux.mode == 1
    assert found.fips_enabled
    assert found.vnc_encrypted
    assert found.hostdev_passthrough
    assert found.nested_virtualization
    assert found.kdump_status == 1
    assert found.rng_sources == [VmRngDeviceSource.RANDOM, VmRngDeviceSource.HWRNG]
    assert found.iscsi_initiator_name == "iqn.2001-04.org.example:host1"
    assert not found.supports_i_pv6


def test_what_is_not_known_is_left_out(tree: Tree) -> None:
    found = describe(tree("bare"))
    assert found.hugepages is None
    assert found.nested_virtualization is None
    assert found.boot_uuid is None
    assert found.kdump_status == -1
    assert found.selinux.mode == -1
    assert found.auto_numa_balancing is AutoNumaBalancingStatus.UNKNOWN
    assert found.numa_node_distance == {}
    assert found.rng_sources == []


def test_acceleration_is_what_the_probe_found_with_its_reason(tree: Tree) -> None:
    slow = describe(tree("cloud-vm"))
    assert (slow.kvm_enabled, slow.acceleration, slow.acceleration_reason) == (False, "tcg", "/dev/kvm is not there")
    assert describe(tree("cloud-vm"), acceleration=Acceleration(Kind.KVM, "a guest ran")).kvm_enabled


@pytest.mark.parametrize("built", [set(), {"VM.snapshot", "VM.merge"}])
def test_a_feature_counts_when_its_verb_is_built(tree: Tree, built: set[str]) -> None:
    found = describe(tree("bare"), implemented=built)
    assert found.live_snapshot is bool(built)
    assert found.live_merge is bool(built)
    assert not found.backup_enabled


def test_software_that_is_no_package_tells_its_version(tree: Tree) -> None:
    found = describe(tree("bare")).packages2
    assert found["libvirt"] == SoftwarePackageInfo(version="10.0.0", release="")
    assert found["kernel"] == SoftwarePackageInfo(version="6.12.0", release="")
    assert describe(tree("cloud-vm")).packages2["libvirt"].release == "4+deb12u2"


@pytest.mark.parametrize("name", ["cloud-vm", "two-sockets", "bare"])
def test_capabilities_fit_the_schema(tree: Tree, name: str) -> None:
    raw = codec.encode_result("Host.getCapabilities", describe(tree(name)))
    again = codec.encode_result("Host.getCapabilities", codec.decode_result("Host.getCapabilities", raw))
    assert again == raw


def test_sizes_travel_as_mebibytes_in_text(tree: Tree) -> None:
    raw = msgspec.json.decode(codec.encode_result("Host.getCapabilities", describe(tree("two-sockets"))))
    assert (raw["memSize"], raw["reservedMem"], raw["guestOverhead"]) == ("65536", "321", "65")
    assert raw["cpuSpeed"] == "2900.00"
    assert raw["kvmEnabled"] == "false"


def test_storage_is_described_as_the_storage_half_is() -> None:
    from ovis.node.host.capabilities import BLOCK_SIZES, STORAGE_VERSIONS
    from ovis.node.storage.domains import file_domain
    from ovis.node.storage.formats.domain_metadata import VERSIONS

    assert STORAGE_VERSIONS == VERSIONS
    sizes = {kind.value: found for kind, found in file_domain.BLOCK_SIZES.items()}
    told = {kind: tuple(filter(None, found)) for kind, found in BLOCK_SIZES.items()}
    assert told == {"ISCSI": (512,), "FCP": (512,)} | sizes
