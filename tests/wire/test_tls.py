import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ovis.wire import certificates
from ovis.wire.tls import TlsFiles, UnusableTlsFile, client_context, server_context, warn_of_expiry


def spoil(path: str) -> None:
    Path(path).write_text("-----BEGIN NONSENSE-----\n")


@pytest.mark.parametrize("context", [server_context, client_context])
@pytest.mark.parametrize("harm", [spoil, lambda path: Path(path).write_text(""), lambda path: Path(path).unlink()])
@pytest.mark.parametrize("which", ["key", "certificate", "ca"])
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, which: str, harm: Callable[[str], None], context: Callable[[TlsFiles], object]
) -> None:
    files = certificates.ensure(tmp_path).node
    bad = getattr(files, which)
    harm(bad)
    with pytest.raises(UnusableTlsFile) as caught:
        context(files)
    assert caught.value.path == bad
    assert bad in str(caught.value)


def test_a_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path)
    with pytest.raises(UnusableTlsFile, match=r"does not belong to .*node\.pem"):
        server_context(TlsFiles(made.admin.key, made.node.certificate, made.node.ca))


@pytest.mark.parametrize(
    ("days", "word"), [(0, None), (-2, "not valid before"), (100 * 365, "has expired"), (None, "expires at")]
)
def test_the_log_tells_of_a_certificate_out_of_its_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, days: int | None, word: str | None
) -> None:
    files = certificates.ensure(tmp_path).node
    end = x509.load_pem_x509_certificate(Path(files.certificate).read_bytes()).not_valid_after_utc
    now = end - timedelta(days=20) if days is None else datetime.now(UTC) + timedelta(days=days)
    with caplog.at_level(logging.WARNING):
        warn_of_expiry(files, now=now)
    told = [record.getMessage() for record in caplog.records if files.certificate in record.getMessage()]
    assert [word in text for text in told if word] == ([True] if word else [])
    assert bool(told) is bool(word)
