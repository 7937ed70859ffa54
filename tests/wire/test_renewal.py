import datetime
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from ovis.wire import certificates
from ovis.wire.certificates import CertificateProblem, ensure
from ovis.wire.renewal import NoAuthority, State, renew, status, take_own_authority

START = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
DAY, MONTH, YEAR = timedelta(days=1), timedelta(days=30), timedelta(days=365)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(certificates, "_now", lambda: START)
    ensure(tmp_path / "pki", names=["host.example", "10.0.0.1"], host_name="me")
    return tmp_path / "pki"


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def accepted(folder: Path, trusted: bytes, when: datetime.datetime) -> bool:
    """By a client and a server that trust this authority."""
    policy = PolicyBuilder().store(Store(x509.load_pem_x509_certificates(trusted))).time(when)
    try:
        policy.build_server_verifier(x509.DNSName("host.example")).verify(read(folder / "node.pem"), [])
        policy.build_client_verifier().verify(read(folder / "admin.pem"), [])
    except VerificationError:
        return False
    return True


def states(folder: Path, when: datetime.datetime) -> dict[str, State]:
    return {one.path.stem: one.state for one in status(folder, when)}


def test_for_forty_years_others_accept_it_though_they_take_the_authority_every_third_only(folder: Path) -> None:
    trusted = b""
    for step in range(40 * 6):
        today = START + 2 * step * MONTH
        renew(folder, today)
        if step % 18 == 0:
            trusted = (folder / "ca.pem").read_bytes()
        assert accepted(folder, trusted, today), today
        assert set(states(folder, today).values()) == {State.GOOD}


def test_nothing_is_written_before_two_thirds_of_its_life(folder: Path) -> None:
    assert renew(folder, START + 549 * DAY) == []
    assert states(folder, START + 550 * DAY) == {"ca": State.GOOD, "node": State.DUE, "admin": State.DUE}
    assert [path.name for path in renew(folder, START + 550 * DAY)] == ["node.pem", "admin.pem"]
    assert renew(folder, START + 551 * DAY) == []


def test_names_access_and_key_stay(folder: Path) -> None:
    before = {name: read(folder / f"{name}.pem") for name in ("node", "admin")}
    renew(folder, START, everything=True)
    for name, former in before.items():
        fresh = read(folder / f"{name}.pem")
        assert fresh != former
        assert fresh.public_key() == former.public_key()
        assert fresh.subject == former.subject
        for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
            wanted = former.extensions.get_extension_for_class(kind).value
            assert fresh.extensions.get_extension_for_class(kind).value == wanted


def test_a_further_name_is_added_once(folder: Path) -> None:
    assert [path.name for path in renew(folder, START, names=["new.example", "10.0.0.1"])] == ["node.pem"]
    names = read(folder / "node.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "me", "host.example", "new.example"]
    assert renew(folder, START, names=["new.example"]) == []


@pytest.mark.parametrize("years", [3, 11, 60])
def test_a_host_that_was_off_for_years_comes_back(folder: Path, years: int) -> None:
    today = START + years * YEAR
    assert State.EXPIRED in states(folder, today).values()
    renew(folder, today)
    assert accepted(folder, (folder / "ca.pem").read_bytes(), today)


def test_a_clock_before_the_authority_is_wrong_and_nothing_is_made(folder: Path) -> None:
    before = (folder / "node.pem").read_bytes()
    assert renew(folder, datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC)) == []
    assert (folder / "node.pem").read_bytes() == before


def test_what_was_made_while_the_clock_was_ahead_is_made_again(folder: Path) -> None:
    renew(folder, START + 3 * YEAR)
    assert states(folder, START + DAY)["node"] is State.NOT_YET
    renew(folder, START + DAY)
    assert accepted(folder, (folder / "ca.pem").read_bytes(), START + DAY)


def test_without_the_authoritys_key_nothing_is_signed(folder: Path) -> None:
    (folder / "ca-key.pem").unlink()
    with pytest.raises(NoAuthority):
        renew(folder, START + 3 * YEAR)


def test_a_host_cut_off_from_its_authority_gets_one_of_its_own_and_trusts_both(folder: Path, tmp_path: Path) -> None:
    former = (folder / "ca.pem").read_bytes()
    (folder / "ca-key.pem").unlink()
    today = START + 3 * YEAR
    take_own_authority(folder, "me", today)
    assert states(folder, today) == {"ca": State.GOOD, "node": State.STRANGE, "admin": State.STRANGE}
    renew(folder, today)
    assert accepted(folder, (folder / "ca.pem").read_bytes(), today)
    assert (folder / "ca.pem").read_bytes().endswith(former)
    made = (folder / "ca.pem").read_bytes()
    take_own_authority(folder, "me", today)
    assert (folder / "ca.pem").read_bytes() == made
    renew(folder, today + 9 * YEAR)
    assert len(x509.load_pem_x509_certificates((folder / "ca.pem").read_bytes())) == 2


def test_killed_between_key_and_certificate_of_an_own_authority_it_is_finished(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "ca-key.pem").unlink()
    take_own_authority(other, "me", START)
    shutil.copy(other / "ca-key.pem", folder / "ca-key.pem")
    with pytest.raises(CertificateProblem, match="do not belong together"):
        renew(folder, START + 3 * YEAR)
    take_own_authority(folder, "me", START + 3 * YEAR)
    renew(folder, START + 3 * YEAR)
    assert accepted(folder, (folder / "ca.pem").read_bytes(), START + 3 * YEAR)
