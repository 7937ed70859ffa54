import asyncio
import logging
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ovis.node.certificates.keeper import Keeper, NotRenewed, keeper, renew_by_program
from ovis.node.config import Tls
from ovis.wire import certificates, renewal
from ovis.wire.tls import ServerContexts, client_context

YEAR = timedelta(days=365)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def kept(folder: Path, clock: Clock) -> Keeper:
    async def renew() -> None:
        renewal.renew(folder, clock.now)

    return Keeper(tuple(folder / name for name in ("node.pem", "ca.pem", "admin.pem")), renew, clock)


def seen_by_a_client(contexts: ServerContexts, made: certificates.MadeFiles) -> bytes | None:
    """The certificate that a new connection gets."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = contexts.current().wrap_bio(to_server, to_client, server_side=True)
    client = client_context(made.admin).wrap_bio(to_client, to_server, server_hostname="me")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client.getpeercert(binary_form=True)


def test_a_running_server_shows_the_renewed_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "_now", lambda: datetime.now(UTC) - timedelta(days=551))
        made = certificates.ensure(tmp_path, host_name="me")
    contexts, clock = ServerContexts(made.node), Clock(datetime.now(UTC) - timedelta(days=2))
    former = seen_by_a_client(contexts, made)
    task = kept(tmp_path, clock)
    asyncio.run(task.look())
    assert seen_by_a_client(contexts, made) == former
    clock.now += timedelta(days=2)
    asyncio.run(task.look())
    fresh = seen_by_a_client(contexts, made)
    assert fresh != former
    assert fresh == ssl.PEM_cert_to_DER_cert((tmp_path / "node.pem").read_text())


def test_a_server_with_expired_certificates_starts_and_shows_renewed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = datetime.now(UTC) - 12 * YEAR
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "_now", lambda: long_ago)
        made = certificates.ensure(tmp_path, host_name="me")
    contexts = ServerContexts(made.node)
    with pytest.raises(ssl.SSLCertVerificationError):
        seen_by_a_client(contexts, made)
    asyncio.run(keeper(Tls(folder=tmp_path)).look())
    shown = ssl.PEM_cert_to_DER_cert((tmp_path / "node.pem").read_text())
    assert seen_by_a_client(contexts, made) == shown


def test_what_stands_in_the_way_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificates.ensure(tmp_path)
    clock = Clock(datetime.now(UTC) + 2 * YEAR)
    is_full = True

    async def renew() -> None:
        if is_full:
            raise NotRenewed("No space left on device")
        renewal.renew(tmp_path, clock.now)

    task = Keeper((tmp_path / "node.pem",), renew, clock)
    caplog.set_level(logging.INFO)
    for _ in range(3):
        asyncio.run(task.look())
    assert caplog.text.count("No space left") == 1
    is_full = False
    asyncio.run(task.look())
    assert "good again" in caplog.text


def test_an_authority_elsewhere_is_left_alone_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    certificates.ensure(tmp_path)
    (tmp_path / "ca-key.pem").unlink()
    before = (tmp_path / "node.pem").read_bytes()
    task = keeper(Tls(folder=tmp_path))
    assert task.renew is None
    task.clock = Clock(datetime.now(UTC) + 2 * YEAR)
    asyncio.run(task.look())
    assert "nothing on this host renews it" in caplog.text
    task.clock = Clock(datetime.now(UTC) + 3 * YEAR)
    asyncio.run(task.look())
    assert "has expired" in caplog.text
    assert (tmp_path / "node.pem").read_bytes() == before


def test_files_of_other_names_are_never_written(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    assert keeper(Tls(folder=tmp_path, certificate=tmp_path / "mine.pem")).renew is None


def test_the_programs_words_reach_the_log(tmp_path: Path) -> None:
    with pytest.raises(NotRenewed, match=r"no ca-key\.pem"):
        asyncio.run(renew_by_program(tmp_path))
