from pathlib import Path

import pytest
from setup_tree import Tree

from ovis.node.setup import checks
from ovis.node.setup.checks import Finding, Level, clock_is_synchronized, examine


def put(tree: Tree, name: str, text: str = "") -> Path:
    path = tree.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(check: checks.Check, tree: Tree) -> list[str]:
    return [finding.found for finding in check(tree)]


def test_each_finding_has_a_remedy(tree: Tree) -> None:
    findings = list(examine(tree))
    assert findings
    assert all(isinstance(f, Finding) and f.about and f.found and f.remedy for f in findings)


def test_virtualization_is_asked_of_the_processor_and_of_the_kernel(tree: Tree) -> None:
    put(tree, "/proc/cpuinfo", "processor : 0\nflags\t\t: fpu sse vmx2\n")
    assert found(checks.virtualization, tree) == ["the processor offers none"]
    put(tree, "/proc/cpuinfo", "flags\t\t: fpu vmx sse\n")
    assert found(checks.virtualization, tree) == ["there is no /dev/kvm"]
    put(tree, "/dev/kvm")
    assert found(checks.virtualization, tree) == []


def test_parts_of_the_kernel_are_modules_built_in_or_missing(tree: Tree) -> None:
    put(tree, "/proc/sys/kernel/osrelease", "5.4.0-1\n")
    put(tree, "/sys/fs/cgroup/cgroup.controllers")
    put(
        tree,
        "/lib/modules/5.4.0-1/modules.dep",
        "kernel/net/bridge.ko.xz: \nkernel/8021q.ko:\nkernel/md/dm-multipath.ko:\n",
    )
    put(tree, "/lib/modules/5.4.0-1/modules.builtin", "kernel/tun.ko\nkernel/nfs.ko\nkernel/loop.ko\n")
    tree.path("/sys/module/bonding").mkdir(parents=True)
    assert found(checks.kernel, tree) == ["it is 5.4.0-1", "it has no iscsi_tcp"]


def test_missing_programs_are_named_with_the_package_of_the_distribution(tree: Tree) -> None:
    put(tree, "/usr/sbin/multipathd").chmod(0o755)
    assert "dnf install qemu-img" in [f.remedy for f in checks.packages(tree)]
    put(tree, "/var/lib/dpkg/status")
    remedies = [f.remedy for f in checks.packages(tree)]
    assert "apt install qemu-utils" in remedies
    assert "apt install multipath-tools" not in remedies
    assert "apt install libvirt-sanlock" not in remedies


def test_a_host_needs_a_name_that_does_not_lead_to_itself(tree: Tree) -> None:
    assert found(checks.names, tree) == []
    put(tree, "/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 host1.example host1 # Debian does that\n")
    assert found(checks.names, tree) == ["host1.example is 127.0.1.1"]
    put(tree, "/etc/hostname", "localhost.localdomain\n")
    assert [f.level for f in checks.names(tree)] == [Level.ERROR]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("/etc/NetworkManager/system-connections/a.nmconnection", "[connection]\ninterface-name=ovirtmgmt\n"),
        ("/etc/network/interfaces", "auto ovirtmgmt\niface ovirtmgmt inet dhcp\n"),
        ("/etc/systemd/network/10-a.network", "[Match]\nName=eth0 ovirtmgmt\n"),
        ("/etc/sysconfig/network-scripts/ifcfg-ovirtmgmt", 'DEVICE="ovirtmgmt"\n'),
    ],
)
def test_somebody_else_who_claims_our_network_is_found(tree: Tree, name: str, text: str) -> None:
    put(tree, name, text)
    assert found(checks.networks, tree) == []
    put(tree, "/var/lib/vdsm/persistence/netconf/nets/ovirtmgmt", "{}")
    assert "claims our network ovirtmgmt" in found(checks.networks, tree)[0]


def test_another_agent_and_the_holder_of_its_number_are_found(tree: Tree) -> None:
    put(tree, "/usr/share/vdsm/vdsmd")
    put(tree, "/etc/passwd", "vdsm:x:36:36::/:\n")
    assert found(checks.conflicts, tree) == ["VDSM is installed", "user 36 is vdsm"]


def test_other_users_of_sanlock_are_found(root: Path) -> None:
    class Live(Tree):
        is_live = True

    said = "daemon 1\np 7 helper\ns 3a2e5c1e-0000-4000-8000-000000000001:1:/dev/x/ids:0\ns cluster:4:/shared/x:0\n"
    tree = Live(root, run=lambda _: said, can_own=False)
    put(tree, "/run/sanlock/sanlock.sock")
    put(tree, "/dev/watchdog")
    assert found(checks.other_leases, tree) == ["somebody else uses sanlock: cluster"]


def test_a_disk_that_is_nearly_full_is_told(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tree, "free_bytes", lambda _, name: 5 << 20 if name == "/var/log" else 1 << 40)
    assert found(checks.disk, tree) == ["5 MiB are free for /var/log"]


def test_the_kernel_tells_whether_its_clock_is_kept() -> None:
    assert clock_is_synchronized() in (True, False, None)
