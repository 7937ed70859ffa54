from pathlib import Path

from ovis.node.privileged.resolver import Resolver


def test_only_the_servers_are_changed(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("# of the administrator\nsearch example.org\nnameserver 192.0.2.1\noptions edns0\n")
    resolver = Resolver(file)
    assert resolver.read() == ("192.0.2.1",)
    resolver.write(("192.0.2.53", "2001:db8::53"))
    assert resolver.read() == ("192.0.2.53", "2001:db8::53")
    assert file.read_text().splitlines()[:3] == ["# of the administrator", "search example.org", "options edns0"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("nameserver 192.0.2.1\n")
    (tmp_path / "resolv.conf").symlink_to("real")
    Resolver(tmp_path / "resolv.conf").write(("192.0.2.2",))
    assert (tmp_path / "resolv.conf").is_symlink()
    assert (tmp_path / "real").read_text() == "nameserver 192.0.2.2\n"


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    resolver = Resolver(tmp_path / "resolv.conf")
    assert resolver.read() == ()
    resolver.write(("192.0.2.2",))
    assert resolver.read() == ("192.0.2.2",)
