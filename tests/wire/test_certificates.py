import datetime
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from ovis.wire import certificates
from ovis.wire.certificates import CertificateProblem, ensure
from ovis.wire.tls import client_context, server_context


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_makes_what_is_needed(tmp_path: Path) -> None:
    made = ensure(tmp_path / "a" / "b", names=["10.0.0.1", "host.example"], host_name="me")
    server_context(made.node)
    client_context(made.admin)
    assert sorted(contents(tmp_path / "a" / "b")) == [
        "admin-key.pem", "admin.pem", "ca-key.pem", "ca.pem", "node-key.pem", "node.pem"
    ]  # fmt: skip
    for key in (made.node.key, made.admin.key, str(tmp_path / "a" / "b" / "ca-key.pem")):
        assert stat.S_IMODE(Path(key).stat().st_mode) == 0o600
    node = x509.load_pem_x509_certificate(Path(made.node.certificate).read_bytes())
    names = node.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "me", "host.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "10.0.0.1"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:ovis:access:peer"]


def test_good_ones_are_kept(tmp_path: Path) -> None:
    ensure(tmp_path)
    before = contents(tmp_path)
    ensure(tmp_path)
    assert contents(tmp_path) == before


def test_only_what_is_missing_or_stale_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure(tmp_path)
    before = contents(tmp_path)
    ensure(tmp_path, names=["new.example"])
    after = contents(tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"node.pem"}
    (tmp_path / "admin-key.pem").unlink()
    ensure(tmp_path, names=["new.example"])
    assert {name for name, text in contents(tmp_path).items() if text != after[name]} == {"admin-key.pem", "admin.pem"}
    future = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=800)
    monkeypatch.setattr(certificates, "_now", lambda: future)
    after = contents(tmp_path)
    ensure(tmp_path, names=["new.example"])
    assert {name for name, text in contents(tmp_path).items() if text != after[name]} == {"admin.pem", "node.pem"}


def test_authority_is_never_replaced(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    ensure(one)
    ensure(two)
    (one / "ca.pem").write_bytes((two / "ca.pem").read_bytes())
    before = contents(one)
    with pytest.raises(CertificateProblem):
        ensure(one)
    (one / "ca-key.pem").unlink()
    with pytest.raises(CertificateProblem):
        ensure(one)
    assert contents(one).items() <= before.items()


@pytest.mark.parametrize("name", ["node.pem", "node-key.pem", "ca.pem"])
def test_foreign_file_is_left_alone(tmp_path: Path, name: str) -> None:
    ensure(tmp_path)
    (tmp_path / name).write_text("something of somebody's")
    with pytest.raises(CertificateProblem, match=name):
        ensure(tmp_path)
    assert (tmp_path / name).read_text() == "something of somebody's"


def test_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ovis.wire.certificates", "--dir", str(tmp_path), "--name", "x.example"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert str(tmp_path / "node.pem") in done.stdout
    (tmp_path / "ca.pem").write_text("")
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
