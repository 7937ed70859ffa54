"""How a host asks the SPM to extend a thin volume: pages in two volumes of the master domain, polled by both sides.

    inbox     requests: host h writes the page at h x 4096, the SPM reads them all
    outbox    replies:  the SPM writes the page at h x 4096, host h reads its own

    page, 4096 bytes          0      +64   message 0
                              64     +64   message 1
                              ...
                              3968   +64   message 62
                              4032   +60   zeros
                              4092   +4    sum of bytes 0-4091, little-endian, modulo 2^32

    message, 64 bytes         0      +1    "1", version; NUL or "0": empty
                              1      +4    "xtnd"
                              5      +16   domain id, the 128-bit number little-endian
                              21     +16   volume id, likewise
                              37     +16   wanted size in MiB, hex digits, zeros in front
                              53     +11   "0"

    clear, 64 bytes           64 x 0x01

    event block, page 0 of inbox    0   +4    NUL "evt"
                                    4   +16   a random UUID
                                    20  ...   zeros up to the block's end

One exchange, in one slot:  host: request -> SPM: the same with the new size, or size 0: failed -> host: clear
-> SPM: clear -> host: empty. Each side acts on a slot only when its bytes changed. A host that has mail writes its
page, then a new UUID into the event block, so that the SPM looks at once and not only every two seconds.

Crash safety: a message lies within one sector, so each slot is old or new, and slots mean nothing to each other. The
sum is the net for pages torn between sectors; it is weak (bytes may change places), which the former makes harmless.
A page with a wrong sum is read again later, never acted on. Replies have no sum: the SPM has never written one, so
`read_replies` does not ask for it; a reply counts only if it answers what was asked (`answers`).

Assumptions: sizes are whole MiB, at most 2^32-1 of them, as existing agents allow. The event's UUID is 16 bytes in the
order of uuid.bytes; only that it changes matters. A message of another version or kind is Unknown and left alone. A
page of zeros, its sum included, is empty. Padding is not looked at. A broken message does not stop its neighbours.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from ovis.node.storage.formats.errors import Broken, TooLong, shown
from ovis.node.storage.formats.identifiers import DomainId, VolumeId, identifier
from ovis.node.storage.formats.sanlock_areas import BLOCK_4K, BLOCK_512, MIB

WHAT = "mailbox"
PAGE = 4096
MESSAGE = 64
SLOTS = PAGE // MESSAGE - 1
MAX_SIZE = 0xFFFFFFFF * MIB
AREA_BYTES = 16 * MIB

_SUM_AT = PAGE - 4
_CLEAR = b"\x01" * MESSAGE
_EMPTY = bytes(MESSAGE)
_EVENT = b"\0evt"
_HEX = re.compile(rb"[0-9a-fA-F]{16}")


@dataclass(frozen=True)
class Extend:
    """Request: grow the volume to `size` bytes. Reply: it was, or with size 0 it could not be."""

    domain: DomainId
    volume: VolumeId
    size: int


@dataclass(frozen=True)
class Clear:
    """The exchange in this slot is over."""


@dataclass(frozen=True)
class Unknown:
    """Something that this version does not know, or a broken message; left where it is."""

    data: bytes
    problem: str


Message = Extend | Clear | Unknown


def page_offset(host_id: int) -> int:
    """Of the host's page in inbox and outbox. Page 0 is no host's. Raises Broken."""
    if not 1 <= host_id < AREA_BYTES // PAGE:
        raise Broken(WHAT, "host id", f"{host_id} has no page")
    return host_id * PAGE


def read_requests(page: bytes) -> dict[int, Message]:
    """What a host wrote, by slot; empty slots are left out. Raises Broken: torn or damaged, to be read again."""
    messages = read_replies(page)
    found = int.from_bytes(page[_SUM_AT:], "little")
    if found != checksum(page):
        raise Broken(WHAT, f"byte {_SUM_AT}", f"sum is {found}, should be {checksum(page)}")
    return messages


def read_replies(page: bytes) -> dict[int, Message]:
    """What the SPM wrote to a host, by slot. Raises Broken."""
    if len(page) != PAGE:
        raise Broken(WHAT, f"byte {len(page)}", f"ends, a page has {PAGE} bytes")
    found: dict[int, Message] = {}
    for slot in range(SLOTS):
        message = _read(page[slot * MESSAGE : (slot + 1) * MESSAGE], slot)
        if message is not None:
            found[slot] = message
    return found


def write_page(messages: Mapping[int, Message]) -> bytes:
    """A page with its sum: right for requests, harmless for replies. Raises Broken, TooLong."""
    page = bytearray(PAGE)
    for slot, message in messages.items():
        if not 0 <= slot < SLOTS:
            raise Broken(WHAT, f"slot {slot}", f"a page has {SLOTS} slots")
        page[slot * MESSAGE : (slot + 1) * MESSAGE] = write_message(message)
    page[_SUM_AT:] = checksum(bytes(page)).to_bytes(4, "little")
    return bytes(page)


def write_message(message: Message) -> bytes:
    match message:
        case Clear():
            return _CLEAR
        case Unknown():
            if len(message.data) != MESSAGE:
                raise Broken(WHAT, "message", f"{len(message.data)} bytes, a message has {MESSAGE}")
            return message.data
        case Extend():
            head = b"1xtnd" + _packed("domain", message.domain) + _packed("volume", message.volume)
            return (head + b"%016x" % _mib(message.size)).ljust(MESSAGE, b"0")


def answers(reply: Message, request: Extend) -> bool:
    """Whether `reply`, found in the request's slot, is about the same volume."""
    return isinstance(reply, Extend) and (reply.domain, reply.volume) == (request.domain, request.volume)


def checksum(page: bytes) -> int:
    return sum(page[:_SUM_AT]) & 0xFFFFFFFF


def write_event(event: uuid.UUID, *, block_size: int = BLOCK_512) -> bytes:
    """One sector, for the start of inbox."""
    if block_size not in (BLOCK_512, BLOCK_4K):
        raise Broken(WHAT, "block size", f"{block_size} is none that a disk has")
    return (_EVENT + event.bytes).ljust(block_size, b"\0")


def read_event(block: bytes) -> uuid.UUID | None:
    """The last event, None when there was none yet or the block holds something else: then only the clock polls."""
    if len(block) < len(_EVENT) + 16 or not block.startswith(_EVENT):
        return None
    return uuid.UUID(bytes=block[len(_EVENT) : len(_EVENT) + 16])


def _read(data: bytes, slot: int) -> Message | None:
    if data[:1] in (b"\0", b"0"):
        return None
    if data == _CLEAR:
        return Clear()
    where = f"byte {slot * MESSAGE}"
    if not data.startswith(b"1xtnd"):
        return Unknown(data, f"{where}: not an extend message of version 1: {shown(data[:5])}")
    digits = data[37:53]
    size = int(digits, 16) * MIB if _HEX.fullmatch(digits) else MAX_SIZE + 1
    if size > MAX_SIZE:
        return Unknown(data, f"{where}: not a size in MiB: {shown(digits)}")
    return Extend(DomainId(_unpacked(data[5:21])), VolumeId(_unpacked(data[21:37])), size)


def _mib(size: int) -> int:
    if size % MIB or size < 0:
        raise Broken(WHAT, "size", f"{size} bytes are not whole MiB")
    if size > MAX_SIZE:
        raise TooLong(WHAT, "size", f"{size} bytes, at most {MAX_SIZE} can be asked for")
    return size // MIB


def _packed(where: str, text: str) -> bytes:
    return uuid.UUID(identifier(WHAT, where, text)).int.to_bytes(16, "little")


def _unpacked(data: bytes) -> str:
    return str(uuid.UUID(int=int.from_bytes(data, "little")))
