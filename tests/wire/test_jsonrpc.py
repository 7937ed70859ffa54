import json

import msgspec
import pytest

from ovis.wire import nesting
from ovis.wire.errors import RpcError
from ovis.wire.jsonrpc import Batch, Call, Invalid, decode, encode_error, encode_request, encode_result


def answer(text: bytes, **limits: int) -> dict[str, object]:
    message = decode(text, **limits)
    assert isinstance(message, Invalid)
    return json.loads(message.answer)


def code(text: bytes, **limits: int) -> int:
    response = answer(text, **limits)
    assert response["id"] is None
    return response["error"]["code"]


def test_request_keeps_params_and_id_as_text() -> None:
    call = decode(b'{"jsonrpc": "2.0", "method": "VM.getStats", "params": {"vmID": "a"}, "id": "x"}')
    assert isinstance(call, Call)
    assert (call.method, bytes(call.params), call.id, call.flow) == ("VM.getStats", b'{"vmID": "a"}', b'"x"', "")


@pytest.mark.parametrize("sent", [b"1", b"1.0", b'"1"', b"null", b"-7", b"1e3", '"é"'.encode()])
def test_id_comes_back_exactly_as_sent(sent: bytes) -> None:
    call = decode(b'{"jsonrpc":"2.0","method":"m","id":' + sent + b"}")
    assert isinstance(call, Call)
    assert call.id == sent
    assert encode_result(call.id, b"true") == b'{"jsonrpc":"2.0","id":' + sent + b',"result":true}'


def test_call_without_id_is_a_notification() -> None:
    call = decode(b'{"jsonrpc":"2.0","method":"m"}')
    assert isinstance(call, Call)
    assert call.id is None
    assert call.params is None


def test_flow_id_travels_as_an_extra_member() -> None:
    call = decode(encode_request(1, "m", b"[]", "flow-7"))
    assert isinstance(call, Call)
    assert call.flow == "flow-7"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
        b'[{"jsonrpc": "2.0", "method": "sum", "id": "1"}, {"jsonrpc": "2.0", "method"]',
        b'{"jsonrpc":1, "method"',
        b'{"jsonrpc":"2.0","method":"m","params":{"a":"\xff"},"id":1}',
        b'{"jsonrpc":"2.0","method":"m","params":[NaN]}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","method":"m","id":1} x',
    ],
)
def test_what_is_not_json_is_a_parse_error(text: bytes) -> None:
    assert code(text) == -32700


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b" [ ] ",
        b"1",
        b'"text"',
        b"null",
        b"{}",
        b'{"method":"m","id":1}',
        b'{"jsonrpc":"1.0","method":"m","id":1}',
        b'{"jsonrpc":"2.0","method":1,"params":"bar"}',
        b'{"jsonrpc":"2.0","method":"m","params":"bar","id":1}',
        b'{"jsonrpc":"2.0","method":"m","params":null,"id":1}',
        b'{"jsonrpc":"2.0","method":"m","id":[1]}',
        b'{"jsonrpc":"2.0","method":"m","id":{}}',
        b'{"jsonrpc":"2.0","method":"m","id":true}',
        b'{"jsonrpc":"2.0","method":"m","id":"' + b"x" * 1023 + b'"}',
        b'{"jsonrpc":"2.0","method":"' + b"m" * 257 + b'","id":1}',
    ],
)
def test_what_is_not_a_request_is_an_invalid_request(text: bytes) -> None:
    assert code(text) == -32600


@pytest.mark.parametrize(("text", "valid"), [("x" * 65_535 + "€" * 30_000, True), ("x" * 65_530, False)])
def test_utf8_is_checked_across_pieces(text: str, valid: bool) -> None:
    body = text.encode() + (b"" if valid else b"\xe2\x82")
    message = decode(b'{"jsonrpc":"2.0","method":"m","params":["' + body + b'"]}')
    assert isinstance(message, Call) is valid


def test_batch_members_are_judged_one_by_one() -> None:
    batch = decode(b'[1, {"jsonrpc":"2.0","method":"a","id":1}, {"foo":"boo"}, {"jsonrpc":"2.0","method":"b"}]')
    assert isinstance(batch, Batch)
    assert [type(member) for member in batch.members] == [Invalid, Call, Invalid, Call]


@pytest.mark.parametrize(("members", "accepted"), [(1000, True), (1001, False)])
def test_batch_is_bounded(members: int, accepted: bool) -> None:
    member = b'{"jsonrpc":"2.0","method":"m","params":[1,[2,3]],"id":1}'
    message = decode(b"[" + b",".join([member] * members) + b"]")
    assert isinstance(message, Batch) is accepted


def test_batch_of_millions_is_refused_without_building_it() -> None:
    assert code(b"[" + b"1," * 3_000_000 + b"1]") == -32600


@pytest.mark.parametrize(("deep", "accepted"), [(63, True), (64, False), (900, False)])
def test_depth_is_bounded(deep: int, accepted: bool) -> None:
    text = b'{"jsonrpc":"2.0","method":"m","params":' + b"[" * deep + b"]" * deep + b',"id":1}'
    assert isinstance(decode(text), Call) is accepted


def test_brackets_inside_texts_do_not_count() -> None:
    quoted = msgspec.json.encode('[[[{{{"\\' * 200)
    call = decode(b'{"jsonrpc":"2.0","method":"m","params":[' + quoted + b"]}")
    assert isinstance(call, Call)


def test_wide_but_flat_is_accepted() -> None:
    wide = b"[" + b",".join([b"[[]]"] * 10_000) + b"]"
    assert isinstance(decode(b'{"jsonrpc":"2.0","method":"m","params":' + wide + b"}"), Call)


def test_hopelessly_many_texts_are_refused() -> None:
    members = b"[" + b",".join([b'{"a":1}'] * (nesting.QUOTES // 2)) + b',"b"]'
    assert code(b'{"jsonrpc":"2.0","method":"m","params":' + members + b"}") == -32600


def test_hopelessly_wide_is_refused() -> None:
    wide = b"[" + b",".join([b"[]"] * nesting.SIGNS) + b"]"
    assert code(b'{"jsonrpc":"2.0","method":"m","params":' + wide + b"}") == -32600


def test_error_carries_data_when_it_can() -> None:
    error = json.loads(encode_error(b"7", RpcError(-32602, "no", {"field": "vmID"})))["error"]
    assert error == {"code": -32602, "message": "no", "data": {"field": "vmID"}}
    assert json.loads(encode_error(b"7", RpcError(1, "no", object())))["error"] == {"code": 1, "message": "no"}
