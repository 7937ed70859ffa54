import pytest
from setup_tree import Tree

from ovis.node.setup.accounts import Accounts
from ovis.node.setup.errors import Conflict
from ovis.node.setup.record import Records

ACCOUNTS = Accounts("accounts", "")


def test_a_group_that_has_the_number_already_is_taken(tree: Tree) -> None:
    tree.path("/etc/group").write_text("kvm:x:36:\nlibvirt:x:109:\n")
    ACCOUNTS.apply(tree, Records(tree))
    assert tree.text("/etc/group") == "kvm:x:36:sanlock,libvirt-qemu\nlibvirt:x:109:ovis\n"
    assert "ovis:x:36:36:" in tree.text("/etc/passwd")
    assert ACCOUNTS.missing(tree, Records(tree)) == []


def test_memberships_that_were_there_before_stay(tree: Tree) -> None:
    path = tree.path("/etc/group")
    path.write_text(path.read_text().replace("libvirt:x:109:", "libvirt:x:109:ovis"))
    ACCOUNTS.apply(tree, Records(tree))
    ACCOUNTS.undo(tree, Records(tree))
    assert "libvirt:x:109:ovis\n" in path.read_text()
    assert "sanlock:x:110:\n" in path.read_text()


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("/etc/passwd", "vdsm:x:36:36::/:", "the user vdsm has the number 36"),
        ("/etc/passwd", "ovis:x:77:77::/:", "the user ovis has the number 77"),
        ("/etc/group", "ovis:x:77:", "the group ovis has the number 77"),
    ],
)
def test_numbers_that_are_taken_stop_it(tree: Tree, name: str, line: str, said: str) -> None:
    tree.path(name).write_text(line + "\n")
    with pytest.raises(Conflict, match=said):
        ACCOUNTS.missing(tree, Records(tree))
