import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ovis.node.certificates.command import main
from ovis.wire import certificates


def call(folder: Path, *words: str) -> int:
    return main(["--folder", str(folder), *words])


@pytest.fixture
def expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "_now", lambda: datetime.now(UTC) - timedelta(days=3 * 365))
        certificates.ensure(tmp_path, host_name="me")
    return tmp_path


def test_expired_ones_are_shown_and_renewed(expired: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(expired, "show") == 1
    told = capsys.readouterr().out
    assert f"{expired}/node.pem: expired" in told
    assert "for localhost, me, 127.0.0.1, ::1, urn:ovis:access:peer" in told
    assert "signed on this host" in told
    assert call(expired, "renew") == 0
    assert f"renewed {expired}/node.pem" in capsys.readouterr().out
    assert call(expired, "show", "--json") == 0
    assert {one["state"] for one in json.loads(capsys.readouterr().out)} == {"good"}
    assert call(expired, "renew") == 0
    assert capsys.readouterr().out == "nothing is due\n"


def test_who_is_signed_elsewhere_is_told_what_to_do_and_can_sign_here(
    expired: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (expired / "ca-key.pem").unlink()
    assert call(expired, "renew") == 1
    assert "renew --own-authority" in capsys.readouterr().err
    assert call(expired, "renew", "--own-authority") == 0
    assert call(expired, "show") == 0


def test_a_host_without_certificates_is_told_how_to_get_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path, "show") == 1
    assert "ovis node setup apply certificates" in capsys.readouterr().err
