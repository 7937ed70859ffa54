"""What lies in the packages and what they ask for; tests/real/test_packages.py installs them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from deploy.packages import debian, rpm, tree
from deploy.packages.dependencies import dependencies
from deploy.packages.python_folder import PROGRAMS, Interpreter
from deploy.setup import debian_packages
from deploy.setup.python_environment import ROOT
from ovis.node.config import Config
from ovis.node.hooks.catalogue import PLACES
from ovis.node.setup import checks

PYTHON = Interpreter(Path("/usr/bin/python3"), (3, 11))
OF_DEVELOPERS = {  # what `make setup` installs for building and testing only
    *(
        "python3-venv",
        "python3-dev",
        "libvirt-dev",
        "pkgconf",
        "gcc",
        "libc6-dev",
        "ca-certificates",
        "libvirt-clients",
    ),
    *("swtpm", "iproute2", "dnsmasq-base", "mmdebstrap", "e2fsprogs", "dosfstools", "mtools", "libarchive13"),
}


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's tree, with one small library instead of all."""
    folder = tmp_path_factory.mktemp("tree")
    (folder / "site/bin").mkdir(parents=True)
    (folder / "site/library.py").write_text("import ovis\n")
    (folder / "site/library-1.dist-info").mkdir()
    (folder / "site/library-1.dist-info/METADATA").write_text("Name: library\nVersion: 1\nLicense-Expression: MIT\n\n")
    (folder / "site/library-1.dist-info/RECORD").write_text("where it was installed first")
    wheel = folder / "ovis.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("ovis/__init__.py", "")
    tree.lay_out_agent(folder / "tree", PYTHON, folder / "site", wheel)
    tree.settle(folder / "tree", 1_700_000_000)
    return folder / "tree"


def test_units_start_programs_of_the_package(laid_out: Path) -> None:
    units = list((laid_out / tree.UNITS).glob("*.service"))
    assert len(units) == 3
    for unit in units:
        text = unit.read_text()
        (program,) = re.findall(r"^ExecStart=/(\S+)", text, re.MULTILINE)
        (page,) = re.findall(r"^Documentation=file:///(\S+)", text, re.MULTILINE)
        assert (laid_out / program).stat().st_mode & 0o777 == 0o755
        assert (laid_out / page).is_file()


def test_programs_are_those_of_the_project() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert {name: f"{module}:main" for name, module in PROGRAMS.items()} == scripts


def test_files_lie_where_the_agent_looks(laid_out: Path) -> None:
    assert Path("/") / tree.HOOKS == PLACES[0]
    assert Path("/") / tree.GUEST == Config().hypervisor.guest_image_folder
    assert [Path("/") / folder for folder in tree.EMPTY] == [Config().hooks.folder]
    assert (laid_out / tree.HOOKS / "qos/before_nic_hotplug.py").is_symlink()
    assert not list((laid_out / tree.EMPTY[0]).iterdir())


def test_nothing_tells_of_the_machine_that_built_it(laid_out: Path) -> None:
    assert not list(laid_out.rglob("RECORD"))
    for path in tree.everything(laid_out):
        assert path.lstat().st_mtime == 1_700_000_000, path
        if path.is_file() and not path.is_symlink():
            assert str(laid_out).encode() not in path.read_bytes(), path
    assert "library 1: MIT" in (laid_out / "usr/share/doc/ovis/copyright").read_text()


def test_environment_finds_its_libraries_without_the_distributions(laid_out: Path) -> None:
    code = "import sys; print(*sys.path, sep='\\n')"
    done = subprocess.run(
        [laid_out / "usr/lib/ovis/bin/python3", "-I", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert not [line for line in done.stdout.splitlines() if "dist-packages" in line]


def test_what_is_needed_covers_what_a_host_is_checked_for() -> None:
    names = {d.debian: d for d in dependencies()}
    of_red_hat = {d.red_hat for d in dependencies()}
    for program in checks._PROGRAMS:
        package = "qemu-system-x86" if program.debian == "qemu-system" else program.debian
        assert names[package].is_needed == program.is_needed, program
        assert program.rpm in of_red_hat, program


def test_packages_of_developers_and_of_hosts_differ_for_a_reason() -> None:
    wanted = set(debian_packages.names(debian_packages.LIST.read_text()))
    known = {d.debian for d in dependencies()}
    assert wanted - known == OF_DEVELOPERS
    # the machine for developers runs these only in the bed, which has a list of its own
    assert known - wanted == {
        *("lvm2", "multipath-tools", "open-iscsi", "nfs-common", "passwd", "virt-v2v", "fence-agents"),
    }  # fmt: skip


def test_control_data_asks_for_the_python_it_was_made_for() -> None:
    control = debian.agent("1-1", PYTHON, {"libvirt0": "9.0.0"}).control("amd64", 1025)
    fields = dict(line.split(": ", 1) for line in control.splitlines() if not line.startswith(" "))
    depends = fields["Depends"].split(", ")
    assert {"python3.11", "libvirt0 (>= 9.0.0)", "ovis-guest (= 1-1)", "sanlock"} <= set(depends)
    assert "virt-v2v" in fields["Recommends"]
    assert (fields["Installed-Size"], fields["Conflicts"]) == ("2", "vdsm")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_shell_and_do_nothing_unasked(name: str, tmp_path: Path) -> None:
    script = tmp_path / name
    script.write_text(debian.maintainer_scripts()[name])
    subprocess.run(["sh", "-n", script], check=True, timeout=30)
    done = subprocess.run(["sh", script, "failed-upgrade"], capture_output=True, timeout=30, check=True)
    assert not done.stdout + done.stderr


def test_spec_names_every_file_once(laid_out: Path) -> None:
    lines = rpm.spec("1-2", PYTHON, laid_out).splitlines()
    files = lines[lines.index("%files") + 2 :]
    named = [line.removeprefix("%dir ").strip('"') for line in files]
    assert len(named) == len(set(named))
    there = {"/" + str(path.relative_to(laid_out)) for path in tree.everything(laid_out)}
    assert there - set(named) == {f"/{folder}" for folder in (*rpm._SHARED, "usr/libexec/vdsm")}
    assert {"Version: 1", "Release: 2", "Requires: python(abi) = 3.11", "Recommends: swtpm-tools"} <= set(lines)


@pytest.mark.skipif(shutil.which("rpmspec") is None, reason="rpmspec is not installed")
def test_spec_is_understood_by_rpm(laid_out: Path, tmp_path: Path) -> None:
    spec = tmp_path / "ovis.spec"
    spec.write_text(rpm.spec("1-2", PYTHON, laid_out))
    subprocess.run(["rpmspec", "--parse", spec], capture_output=True, timeout=60, check=True)
