"""Arguments and results of verbs, between typed values and JSON bytes. Both the client and the node's bridge use it."""

from __future__ import annotations

from contextlib import nullcontext
from functools import cache
from typing import Any

import msgspec

from ovis.client import verbs
from ovis.client.absent_values import without_absent
from ovis.client.choices import accepting_new_values
from ovis.client.unions import read_member

_encoder = msgspec.json.Encoder()

STATUS_DONE = b'{"code":0,"message":"Done"}'
"""What travels as result of the verbs whose `wire_result` is `status`."""


def _read_union(wanted: Any, value: Any) -> Any:
    """msgspec's `dec_hook`: called for unions of objects, alone or with other values, which it cannot read itself."""
    members = verbs.UNION_MEMBERS.get(wanted)
    if members is None:
        raise NotImplementedError(f"no JSON form of {wanted!r}")
    if isinstance(value, members):
        return value
    if wanted in verbs.OTHER_MEMBERS and not isinstance(value, dict):
        try:
            return msgspec.convert(value, verbs.OTHER_MEMBERS[wanted], strict=False)
        except msgspec.ValidationError as problem:
            raise ValueError(str(problem)) from problem  # msgspec adds the place to these only
    return read_member(members, value, _read)


def _read(value: Any, wanted: Any) -> Any:
    try:
        return msgspec.convert(value, wanted, strict=False, dec_hook=_read_union)
    except msgspec.ValidationError:
        cleaned = without_absent(value, wanted)
        if cleaned is value:
            raise
        return msgspec.convert(cleaned, wanted, strict=False, dec_hook=_read_union)


@cache
def _decoder(wanted: Any) -> msgspec.json.Decoder[Any]:
    """Lax: peers send numbers and truth values as text, or the other way round."""
    return msgspec.json.Decoder(wanted, strict=False, dec_hook=_read_union)


def _decode(raw: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any], *, is_answer: bool) -> Any:
    """An answer may hold enum values that this side does not know yet."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as problem:
        value = msgspec.json.decode(raw)
        cleaned = without_absent(value, decoder.type)
        if cleaned is value and not is_answer:
            raise
        try:
            with accepting_new_values() if is_answer else nullcontext():
                return msgspec.convert(cleaned, decoder.type, strict=False, dec_hook=_read_union)
        except msgspec.ValidationError as remaining:
            raise remaining from problem


@cache
def arguments_decoder(method: str) -> msgspec.json.Decoder[Any]:
    """The decoder of a verb's arguments as they travel."""
    return _decoder(verbs.ARGUMENTS[method])


def decode_arguments(method: str, raw: bytes | msgspec.Raw) -> Any:
    """Read named arguments (a JSON object). Raises msgspec.ValidationError that names the field."""
    arguments = _decode(raw, arguments_decoder(method), is_answer=False)
    rescale = verbs.RESCALERS.get(type(arguments))
    if rescale:
        rescale(arguments)
    return arguments


def encode_arguments(arguments: msgspec.Struct) -> bytes:
    """The JSON object that travels for a verb's arguments."""
    return encode_value(arguments)


def encode_result(method: str, value: Any) -> bytes:
    """The JSON of a verb's typed result."""
    encode = verbs.RESULT_ENCODERS.get(method)
    return _encoder.encode(encode(value) if encode else value)


@cache
def result_decoder(method: str) -> msgspec.json.Decoder[Any] | None:
    """The decoder of a verb's result; None when it returns nothing worth reading."""
    wanted = verbs.RESULTS.get(method)
    return None if wanted is None else msgspec.json.Decoder(wanted, strict=False, dec_hook=_read_union)


def decode_result(method: str, raw: bytes | msgspec.Raw) -> Any:
    """Read a verb's result into its type; None for a verb that returns nothing. Raises msgspec.ValidationError."""
    decoder = result_decoder(method)
    if decoder is None:
        return None
    value = _decode(raw, decoder, is_answer=True)
    rescale = verbs.RESULT_RESCALERS.get(method)
    if rescale:
        rescale(value)
    return value


def encode_value(value: Any) -> bytes:
    """The JSON of a value of any generated class on its own, as it travels inside a result or an event."""
    encode = verbs.ENCODERS.get(type(value))
    return _encoder.encode(encode(value) if encode else value)


def decode_value(wanted: Any, raw: bytes | msgspec.Raw) -> Any:
    """Read what `encode_value` gives into a generated class or a union of such. Raises msgspec.ValidationError."""
    value = _decode(raw, _decoder(wanted), is_answer=True)
    rescale = verbs.RESCALERS.get(type(value))
    if rescale:
        rescale(value)
    return value
