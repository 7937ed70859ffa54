import pytest

from ovis.wire.detect import Framing, detect
from ovis.wire.errors import ProtocolError


@pytest.mark.parametrize(
    ("data", "framing"),
    [
        (b"\0", Framing.SIZE),
        (b"\xff", Framing.SIZE),
        (b"\x01", Framing.SIZE),
        (b"\n", Framing.STOMP),
        (b"\r\nCONNECT", Framing.STOMP),
        (b"CONNECT\n", Framing.STOMP),
        (b"CONNECT\r\n", Framing.STOMP),
        (b"UNSUBSCRIBE\n", Framing.STOMP),
        (b"CONNECT host:1 HTTP/1.1", Framing.HTTP),
        (b"GET ", Framing.HTTP),
        (b"CONNECT", None),
        (b"UNSUBSCRIBE", None),
        (b"G", None),
    ],
)
def test_first_bytes_decide(data: bytes, framing: Framing | None) -> None:
    assert detect(data) is framing


@pytest.mark.parametrize("data", [b"\x16\x03\x01", b"{", b" ", b"get ", b"ABCDEFGHIJKL", b"SEND ", b"GET\n", b"1"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        detect(data)
