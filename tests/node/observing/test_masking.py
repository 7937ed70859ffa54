"""Planted secrets do not get out, in whatever clothes."""

import pytest

from ovis.node.observing.masking import masked

SECRET = "s3cr3t-Xy"


@pytest.mark.parametrize(
    "text",
    [
        "<graphics type='vnc' passwd='{}' port='5900'/>",
        '<graphics passwd="{}" passwdValidTo="2026"/>',
        "<ovirt-vm:password>{}</ovirt-vm:password>",
        '{{"password": "{}", "user": "a"}}',
        '{{"vmTicket":"{}"}}',
        '"{{\\"password\\": \\"{}\\"}}"',
        "password = {}",
        'node.session.auth.password_in = "{}"',
        "chap_secret: {}",
        "fence_ipmilan --password {} --ip 10.0.0.1",
        "--token={}",
        "Authorization: Bearer {}",
        "https://admin:{}@host/x",
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n{} (cut off",
        "api_key: {}",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    found = masked(f"before\n{text.format(SECRET)}\nafter" if "BEGIN PRIV" not in text else text.format(SECRET))
    assert SECRET not in found
    if "BEGIN PRIV" not in text:
        assert found.startswith("before\n")
        assert found.endswith("\nafter")


def test_what_is_no_secret_stays() -> None:
    text = '<name>web</name> memory: 1024, disk=\'/dev/vda\' "vmName": "passage", keyboard = us, monkey: 1'
    assert masked(text) == text
