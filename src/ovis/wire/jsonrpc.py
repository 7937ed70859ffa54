"""JSON-RPC 2.0 without I/O: text in, calls out; results in, text out. Source: https://www.jsonrpc.org/specification

`decode` turns a text into one of

    Call       a request (`id` is its JSON text as sent) or a notification (`id` is None)
    Batch      a list of these, each member decoded for itself
    Invalid    what was wrong, with the complete answer to send

Parameters stay text: the service decodes them once, straight into typed values. The `id` stays text too, so that
1.0, "1" and 1 come back exactly as they were sent. As the specification has it, an invalid request is answered with
a null id even where one could be guessed.

One member is ours: `ovirtCorrelationId` in a request carries the flow id on framings without headers (STOMP has a
header of that name). It is a text; other servers ignore it.
"""

from __future__ import annotations

import codecs
from typing import Annotated

import msgspec

from ovis.wire.errors import INVALID_REQUEST, PARSE_ERROR, RpcError
from ovis.wire.nesting import TooComplex, check_members, check_nesting

NULL = b"null"
METHOD_LENGTH = 256
ID_BYTES = 1024
_SMALL = 4096  # bytes of a batch whose members may be told apart without counting them first
_Utf8 = codecs.getincrementaldecoder("utf-8")
_UTF8_PIECE = 64 * 1024
_BLANKS = b" \t\r\n"
_ABSENT = msgspec.Raw()


class Call(msgspec.Struct, frozen=True, gc=False):
    method: str
    params: msgspec.Raw | None
    id: bytes | None
    """JSON text of the id; None for a notification."""
    flow: str


class Invalid(msgspec.Struct, frozen=True, gc=False):
    answer: bytes
    """The complete error response."""
    reason: str


class Batch(msgspec.Struct, frozen=True):
    members: list[Call | Invalid]


class _Message(msgspec.Struct, gc=False):
    jsonrpc: str
    method: Annotated[str, msgspec.Meta(max_length=METHOD_LENGTH)]
    params: msgspec.Raw = _ABSENT
    id: msgspec.Raw = _ABSENT
    flow: str = msgspec.field(name="ovirtCorrelationId", default="")


_message = msgspec.json.Decoder(_Message)
_members = msgspec.json.Decoder(list[msgspec.Raw])
_skip = msgspec.json.Decoder(msgspec.Raw)
_encode = msgspec.json.Encoder().encode


def decode(data: bytes, *, depth: int = 64, batch: int = 1000) -> Call | Batch | Invalid:
    """Decode one message. `depth` counts nested objects and arrays; `batch` is the largest number of members."""
    try:
        if not data.isascii():
            _check_utf8(data)  # a skipped value is not checked by the decoder
        if data[:1] == b"{":
            call = _decode_member(data)
            if len(data) > 2 * depth:
                check_nesting(data, depth=depth)
            return call
        if data.lstrip(_BLANKS)[:1] != b"[":
            call = _decode_member(data)
            check_nesting(data, depth=depth)
            return call
        if len(data) > _SMALL:
            _skip.decode(data)  # proves the text without building anything
            check_members(data, members=batch)
        members = _members.decode(data)
        if len(data) > 2 * depth:
            check_nesting(data, depth=depth)
    except UnicodeDecodeError as error:
        return _invalid(PARSE_ERROR, f"Parse error: not UTF-8 ({error.reason})")
    except (msgspec.DecodeError, RecursionError) as error:
        return _invalid(PARSE_ERROR, f"Parse error: {error}")
    except TooComplex as error:
        return _invalid(INVALID_REQUEST, f"Invalid request: {error}")
    if not members:
        return _invalid(INVALID_REQUEST, "Invalid request: an empty batch")
    if len(members) > batch:
        return _invalid(INVALID_REQUEST, f"Invalid request: more than {batch} members")
    return Batch([_decode_member(member) for member in members])


def _check_utf8(data: bytes) -> None:
    """Raise UnicodeDecodeError. In pieces: a text of 64 MiB would take four times that for a moment."""
    decoder = _Utf8()
    view = memoryview(data)
    for at in range(0, len(data), _UTF8_PIECE):
        decoder.decode(view[at : at + _UTF8_PIECE])
    decoder.decode(b"", final=True)


def _decode_member(data: bytes | msgspec.Raw) -> Call | Invalid:
    """Decode a single request. Raises DecodeError when `data` is not JSON at all."""
    try:
        message = _message.decode(data)
    except msgspec.ValidationError as error:
        _skip.decode(data)  # the text may also be broken further on, which counts more
        return _invalid(INVALID_REQUEST, f"Invalid request: {error}")
    if message.jsonrpc != "2.0":
        return _invalid(INVALID_REQUEST, 'Invalid request: `jsonrpc` must be "2.0"')
    params: msgspec.Raw | None = message.params
    if params is _ABSENT:
        params = None
    elif memoryview(message.params)[0] not in b"{[":
        return _invalid(INVALID_REQUEST, "Invalid request: `params` must be an object or an array")
    if message.id is _ABSENT:
        return Call(message.method, params, None, message.flow)
    call_id = bytes(message.id)
    if call_id[:1] in b"{[tf" or len(call_id) > ID_BYTES:
        return _invalid(
            INVALID_REQUEST, f"Invalid request: `id` must be a number, null or a text up to {ID_BYTES} bytes"
        )
    return Call(message.method, params, call_id, message.flow)


def _invalid(code: int, reason: str) -> Invalid:
    return Invalid(encode_error(NULL, RpcError(code, reason)), reason)


def encode_result(call_id: bytes, result: bytes | bytearray | msgspec.Raw) -> bytes:
    """The response that carries `result`, which is JSON text already."""
    return b"".join((b'{"jsonrpc":"2.0","id":', call_id, b',"result":', result, b"}"))


def encode_error(call_id: bytes, error: RpcError) -> bytes:
    """The response that carries `error`. `data` which cannot be encoded is left out."""
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    try:
        text = _encode(body)
    except (TypeError, ValueError, OverflowError):
        text = _encode({"code": error.code, "message": error.message})
    return b"".join((b'{"jsonrpc":"2.0","id":', call_id, b',"error":', text, b"}"))


def encode_batch(answers: list[bytes]) -> bytes:
    return b"".join((b"[", b",".join(answers), b"]"))


def encode_notification(method: str, params: bytes) -> bytes:
    return b"".join((b'{"jsonrpc":"2.0","method":', _encode(method), b',"params":', params, b"}"))


def encode_request(call_id: int, method: str, params: bytes | None, flow: str = "") -> bytes:
    """A request as the clients of this package send it; `params` is the JSON text of an object or an array."""
    parts = [b'{"jsonrpc":"2.0","id":%d,"method":' % call_id, _encode(method)]
    if params is not None:
        parts += (b',"params":', params)
    if flow:
        parts += (b',"ovirtCorrelationId":', _encode(flow))
    parts.append(b"}")
    return b"".join(parts)
