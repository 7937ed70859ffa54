import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ovis.client.types import SoftwarePackage, SoftwarePackageInfo
from ovis.node.host.kernel_files import KernelFiles
from ovis.node.host.packages import PackageReader, debian_version

Tree = Callable[[str], KernelFiles]


def test_debian_packages_that_are_installed(tree: Tree) -> None:
    assert PackageReader(tree("cloud-vm")).read() == {
        SoftwarePackage.LIBVIRT: SoftwarePackageInfo(version="9.0.0", release="4+deb12u2"),
        SoftwarePackage.QEMU_KVM: SoftwarePackageInfo(version="7.2+dfsg", release="7+deb12u18"),
        SoftwarePackage.LIBRBD1: SoftwarePackageInfo(version="16.2.11", release=""),
    }


@pytest.mark.parametrize(
    ("text", "version", "release"),
    [("1:7.2+dfsg-7", "7.2+dfsg", "7"), ("2.1", "2.1", ""), ("1-2-3", "1-2", "3"), ("3:4.5", "4.5", "")],
)
def test_debian_versions(text: str, version: str, release: str) -> None:
    assert debian_version(text) == SoftwarePackageInfo(version=version, release=release)


def test_a_changed_database_is_read_again(tree: Tree) -> None:
    files = tree("cloud-vm")
    packages = PackageReader(files)
    packages.read()
    status = files.root / "var/lib/dpkg/status"
    status.write_text(status.read_text().replace("9.0.0", "9.10.0"))
    assert packages.read()[SoftwarePackage.LIBVIRT].version == "9.10.0"


RPM = """#!/bin/sh
echo 'qemu-kvm 8.2.0 11.el9_4'
echo 'package mom is not installed'
echo 'libvirt-libs 10.0.0 6.el9'
exit 2
"""


def rpm_host(root: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> KernelFiles:
    (root / "var/lib/rpm").mkdir(parents=True)
    (root / "var/lib/rpm/rpmdb.sqlite").touch()
    (root / "rpm").write_text(program)
    (root / "rpm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{root}:{os.environ['PATH']}")
    return KernelFiles(root)


def test_rpm_is_asked_for_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert PackageReader(rpm_host(tmp_path, RPM, monkeypatch)).read() == {
        SoftwarePackage.QEMU_KVM: SoftwarePackageInfo(version="8.2.0", release="11.el9_4"),
        SoftwarePackage.LIBVIRT: SoftwarePackageInfo(version="10.0.0", release="6.el9"),
    }


def test_an_rpm_that_hangs_costs_the_answer_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ovis.node.host.packages._RPM_SECONDS", 0.1)
    assert PackageReader(rpm_host(tmp_path, "#!/bin/sh\nexec sleep 60\n", monkeypatch)).read() == {}


def test_no_package_database(tree: Tree) -> None:
    assert PackageReader(tree("bare")).read() == {}
