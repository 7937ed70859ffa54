import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from setup_tree import Killed, Tree, contents, make_tree, tree_of

from ovis.node.setup.changing import Change
from ovis.node.setup.declared import declared
from ovis.node.setup.machine import Machine
from ovis.node.setup.record import Records
from ovis.wire import certificates


def apply(machine: Machine, *only: str) -> list[str]:
    said: list[str] = []
    Change(machine, said.append).apply([step for step in declared() if not only or step.name in only])
    return said


def undo(machine: Machine) -> list[str]:
    said: list[str] = []
    Change(machine, said.append).undo(declared())
    return said


def test_everything_is_configured_and_doing_it_again_changes_nothing(tree: Tree) -> None:
    apply(tree)
    made = contents(tree.root)
    assert made["etc/libvirt/qemu.conf"].splitlines()[1] == 'lock_manager = "sanlock"'
    assert "max_core = 0" in made["etc/libvirt/qemu.conf"]
    assert "our_host_name = host1.example" in made["etc/sanlock/sanlock.conf"]
    assert "no_path_retry 4" in made["etc/multipath/conf.d/ovis.conf"]
    assert made["etc/pki/libvirt/servercert.pem"] == "-> /etc/ovis/pki/node.pem"
    assert "ovis:x:36:" in tree.text("/etc/group")
    assert "libvirt:x:109:ovis" in tree.text("/etc/group")
    tree.fuse.done = 0
    assert apply(tree) == ["all is in place"]
    assert contents(tree.root) == made


def test_undone_everything_is_as_it_was_but_user_and_certificates(tree: Tree) -> None:
    before = contents(tree.root)
    apply(tree)
    said = undo(tree)
    assert contents(tree.root) == before
    assert "libvirt:x:109:\n" in tree.text("/etc/group")
    assert any("stay" in line for line in said)
    assert undo(tree) == ["certificates: certificates in /etc/ovis/pki stay: others may trust them"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for hundreds of runs: no keys are made, and nothing waits for a disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(certificates, "ensure", lambda *_, **__: None)
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


KINDS = ("accounts", "folders", "bonding", "sanlock", "libvirt-leases", "certificates", "libvirt-tls")
"""One or two of each kind of step."""


def test_killed_anywhere_it_can_be_finished_or_undone(quick: Path) -> None:
    original = contents(make_tree(quick / "original"))
    apply(tree_of(make_tree(quick / "whole")), *KINDS)
    whole = contents(quick / "whole")
    for at in range(1, 1000):
        root = make_tree(quick / "root")
        try:
            apply(tree_of(root, dies_at=at), *KINDS)
        except Killed:
            copy = shutil.copytree(root, quick / "copy", symlinks=True)
            apply(tree_of(root), *KINDS)
            assert contents(root) == whole, at
            undo(tree_of(copy))
            assert contents(copy) == original, at
            shutil.rmtree(root)
            shutil.rmtree(copy)
        else:
            assert at > 25
            return


def test_an_undo_that_was_killed_is_finished_by_the_next(quick: Path) -> None:
    original = contents(make_tree(quick / "original"))
    apply(tree_of(make_tree(quick / "whole")), *KINDS)
    for at in range(1, 1000):
        root = Path(shutil.copytree(quick / "whole", quick / "root", symlinks=True))
        try:
            undo(tree_of(root, dies_at=at))
        except Killed:
            undo(tree_of(root))
            assert contents(root) == original, at
            shutil.rmtree(root)
        else:
            assert at > 10
            return


def test_what_the_administrator_decided_stops_everything_before_the_first_change(tree: Tree) -> None:
    conf = tree.path("/etc/libvirt/qemu.conf")
    conf.write_text('lock_manager = "lockd"\n')
    before = contents(tree.root)
    said = apply(tree)
    assert "line 1, already says" in said[0]
    assert contents(tree.root) == before
    apply(tree, "udev", "multipath")
    assert conf.read_text() == 'lock_manager = "lockd"\n'
    assert "57-ovis-storage.rules" in " ".join(contents(tree.root))


def test_without_the_lock_driver_libvirt_is_not_told_to_use_it(tree: Tree) -> None:
    next(tree.root.glob("usr/lib/*/libvirt/lock-driver/sanlock.so")).unlink()
    assert "not installed" in apply(tree)[0]


def test_a_file_that_was_changed_since_is_neither_overwritten_nor_removed(tree: Tree) -> None:
    apply(tree, "multipath")
    path = tree.path("/etc/multipath/conf.d/ovis.conf")
    path.write_text("mine\n")
    assert "was changed since" in apply(tree, "multipath")[0]
    assert "stays" in undo(tree)[0]
    assert path.read_text() == "mine\n"


def test_what_stood_there_before_comes_back(tree: Tree) -> None:
    path = tree.path("/etc/modprobe.d/ovis-bonding.conf")
    path.parent.mkdir()
    path.write_text("old\n")
    path.chmod(0o600)
    apply(tree, "bonding")
    assert "max_bonds=0" in path.read_text()
    undo(tree)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("old\n", 0o600)


def test_lines_that_others_added_around_the_section_stay(tree: Tree) -> None:
    apply(tree, "lvm")
    path = tree.path("/etc/lvm/lvmlocal.conf")
    path.write_text(path.read_text() + "log {\n}\n")
    undo(tree)
    assert path.read_text() == "local {\n}\nlog {\n}\n"


def test_nothing_is_written_through_a_link_out_of_the_tree(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    tree.path("/etc/multipath").symlink_to(outside)
    with pytest.raises(Exception, match="leads out of"):
        apply(tree, "multipath")
    assert not list(outside.rglob("*"))


def test_services_are_told_by_the_next_run_when_the_first_was_killed(root: Path) -> None:
    """On a live machine; here its root is another folder, so that nothing of this one is touched."""
    told: list[list[str]] = []

    class Live(Tree):
        is_live = True

    def tell(line: Sequence[str]) -> str:
        told.append(list(line))
        return ""

    live = Live(root, run=tell, can_own=False)
    Records(live).write("services", {"lines": [["udevadm", "control", "--reload"]]})
    said: list[str] = []
    udev = [step for step in declared() if step.name == "bonding"]
    Change(live, said.append, tells_services=False).apply(udev)
    assert told == []
    assert "still to be run: udevadm control --reload" in said
    Change(live, said.append, tells_services=True).apply(udev)
    assert told == [["udevadm", "control", "--reload"]]
    assert Records(live).read("services") is None
