"""Arguments and results of verbs, between typed values and JSON bytes. Both the client and the node's bridge use it."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from ovis.client import verbs

_encoder = msgspec.json.Encoder()

STATUS_DONE = b'{"code":0,"message":"Done"}'
"""What travels as result of the verbs whose `wire_result` is `status`."""


def union_member(wanted: type, value: Any) -> Any:
    """Read a member of an untagged union: the first class, in the order of the schema, that the value fits.

    The order of the schema puts the more demanding classes first where two could fit. Used as msgspec's `dec_hook`.
    """
    problems = []
    candidates = verbs.UNION_MEMBERS.get(wanted)
    if candidates is None:
        raise NotImplementedError(f"no JSON form of {wanted!r}")
    if isinstance(value, candidates):
        return value
    for candidate in candidates:
        try:
            return msgspec.convert(value, candidate, strict=False, dec_hook=union_member)
        except msgspec.ValidationError as problem:
            problems.append(f"not {candidate.__name__}: {problem}")
    raise msgspec.ValidationError("; ".join(problems[:4]))


@cache
def arguments_decoder(method: str) -> msgspec.json.Decoder[Any]:
    """The decoder of a verb's arguments. Lax: old clients send numbers and truth values as text."""
    return msgspec.json.Decoder(verbs.ARGUMENTS[method], strict=False, dec_hook=union_member)


def decode_arguments(method: str, raw: bytes | msgspec.Raw) -> Any:
    """Read named arguments (a JSON object). Raises msgspec.ValidationError that names the field."""
    arguments = arguments_decoder(method).decode(raw)
    rescale = verbs.ARGUMENT_RESCALERS.get(type(arguments))
    if rescale:
        rescale(arguments)
    return arguments


def encode_arguments(arguments: msgspec.Struct) -> bytes:
    """The JSON object that travels for a verb's arguments."""
    encode = verbs.ENCODERS.get(type(arguments))
    return _encoder.encode(encode(arguments) if encode else arguments)


def encode_result(method: str, value: Any) -> bytes:
    """The JSON of a verb's typed result."""
    encode = verbs.RESULT_ENCODERS.get(method)
    return _encoder.encode(encode(value) if encode else value)


@cache
def result_decoder(method: str) -> msgspec.json.Decoder[Any] | None:
    """The decoder of a verb's result; None when it returns nothing worth reading."""
    wanted = verbs.RESULTS.get(method)
    return None if wanted is None else msgspec.json.Decoder(wanted, strict=False, dec_hook=union_member)


def decode_result(method: str, raw: bytes | msgspec.Raw) -> Any:
    """Read a verb's result into its type; None for a verb that returns nothing. Raises msgspec.ValidationError."""
    decoder = result_decoder(method)
    if decoder is None:
        return None
    value = decoder.decode(raw)
    rescale = verbs.RESULT_RESCALERS.get(method)
    if rescale:
        rescale(value)
    return value


def encode_value(value: Any) -> bytes:
    """The JSON of any generated type on its own, as it travels inside a result (an event, one VM's statistics)."""
    encode = verbs.ENCODERS.get(type(value))
    return _encoder.encode(encode(value) if encode else value)
