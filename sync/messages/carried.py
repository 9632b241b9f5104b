"""What is carried by hand where the network ends: a station's *export* and the city's *answer* to it.

Invariant: a file proves no more and no less than the wire does. An export holds the wire's own batches,
an answer the wire's own signed words; both are JSON lines, and neither is whole without its last line.

::

    {"kiosk_export":2,"city":…,"station":…,"ledger":hex,"after":n}
    {batch} …                                          as on the topic ledger, each on one line
    {"kiosk_export_end":{"batches":n,"last":n}}

    {"kiosk_answer":1,"city":…,"station":…,"ledger":hex,"epoch":n,"made_ms":n}
    {"topic":"closed/full","payload":"…"} …            as the station names its topics; ``ack`` is last
    {"kiosk_answer_end":{"words":n,"sig":base64}}

An export's first line is a claim: the batches say whose they are. An answer is signed as a whole as well,
over ``kiosk-answer-v1\\n{city}\\n{station}\\n{ledger}\\n{epoch}\\n{SHA-256 of all lines before the last}``,
so that a damaged one, or one for another station, is known before anything of it is used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated, BinaryIO, TypeVar

import msgspec
from msgspec import Meta

from sync.messages.content import MAX_PLAIN_BYTES
from sync.messages.problem import Malformed
from sync.messages.wire import Count, LedgerId, Seq, Signature, signature_bytes, signature_text
from sync.signing import Signer, verify

MAX_LINE_BYTES = 4 * MAX_PLAIN_BYTES
"""A word of 128 KiB inside a JSON string, with room for its quotes."""
MAX_WORDS = 1_000
"""Words in one answer; two lists of 600,000 cards are 204."""
MAX_BATCHES = 1_000_000
EXPORT, ANSWER = 2, 1

Name = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]

_T = TypeVar("_T")


class ExportHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: entries beyond ``after``, the last that the city had signed for."""

    kiosk_export: int
    city: Name
    station: Name
    ledger: LedgerId
    after: Count


class ExportEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    batches: Annotated[int, Meta(ge=0, le=MAX_BATCHES)]
    last: Count


class BatchEnds(msgspec.Struct, frozen=True):
    """The part of a batch that its carrier reads."""

    ledger: LedgerId
    first: Seq
    last: Seq


class AnswerHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom the city answers, in which life of its database, and when by its clock."""

    kiosk_answer: int
    city: Name
    station: Name
    ledger: LedgerId
    epoch: Count
    made_ms: Count


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of the city's, plain; ``topic`` below the station's own, or ``/…`` below the city's."""

    topic: Annotated[str, Meta(min_length=1, max_length=64)]
    payload: Annotated[str, Meta(max_length=MAX_PLAIN_BYTES)]


class AnswerEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: Annotated[int, Meta(ge=0, le=MAX_WORDS)]
    sig: Signature


class _ExportLast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kiosk_export_end: ExportEnd


class _AnswerLast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kiosk_answer_end: AnswerEnd


# --- exports ------------------------------------------------------------------------------------------


def export_head(line: bytes) -> ExportHead:
    """The first line of an export; Malformed for anything else."""
    head = _decoded(line, ExportHead)
    if head.kiosk_export != EXPORT:
        raise Malformed("version", "the export is of another version")
    return head


def export_end(line: bytes) -> ExportEnd | None:
    """The last line of an export; None for another line."""
    if not line.startswith(b'{"kiosk_export_end"'):
        return None
    return _decoded(line, _ExportLast).kiosk_export_end


def ends_of(batch: bytes) -> BatchEnds:
    """Where a batch begins and ends; Malformed where the line is none."""
    return _decoded(batch, BatchEnds)


def line_of(value: msgspec.Struct) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def export_last(batches: int, last: int) -> bytes:
    """The line that makes an export whole."""
    return line_of(_ExportLast(ExportEnd(batches, last)))


# --- answers ------------------------------------------------------------------------------------------


def answer_message(head: AnswerHead, digest: bytes) -> bytes:
    """What the city signs for an answer."""
    return (
        f"kiosk-answer-v1\n{head.city}\n{head.station}\n{head.ledger}\n{head.epoch}\n{digest.hex()}"
    ).encode()


def encode_answer(head: AnswerHead, words: Iterator[Word], signer: Signer) -> Iterator[bytes]:
    """The lines of a signed answer; ValueError for more than MAX_WORDS (our own mistake)."""
    hashed, count = hashlib.sha256(), 0
    for line in (line_of(head), *map(line_of, words)):
        hashed.update(line)
        count += 1
        yield line
    if count - 1 > MAX_WORDS:
        raise ValueError(f"an answer of {count - 1} words")
    signature = signature_text(signer.sign(answer_message(head, hashed.digest())))
    yield line_of(_AnswerLast(AnswerEnd(count - 1, signature)))


def answer_head(line: bytes) -> AnswerHead:
    """The first line of an answer, proven by nothing yet; Malformed for anything else."""
    try:
        head = _decoded(line, AnswerHead)
    except Malformed:
        raise Malformed("no_answer", "the file does not begin as an answer does") from None
    if head.kiosk_answer != ANSWER:
        raise Malformed("version", "the answer is of another version")
    return head


def read_answer(file: BinaryIO, city_key: bytes) -> AnswerHead:
    """The first line of an answer that is whole and the city's; Malformed otherwise.

    ``file`` is left at its second line: ``words`` reads on.
    """
    file.seek(0)
    first = file.readline(MAX_LINE_BYTES)
    head = answer_head(first)
    hashed, place, count = hashlib.sha256(first), file.tell(), 0
    while not (line := file.readline(MAX_LINE_BYTES)).startswith(b'{"kiosk_answer_end"'):
        if not line.endswith(b"\n") or count >= MAX_WORDS:
            raise Malformed("torn", "the answer is not whole")
        hashed.update(line)
        count += 1
    end = _decoded(line, _AnswerLast).kiosk_answer_end
    signature, message = signature_bytes(end.sig), answer_message(head, hashed.digest())
    if end.words != count or file.read(1) or not verify(city_key, signature, message):
        raise Malformed("bad_signature", "the answer is damaged, or not signed by the city")
    file.seek(place)
    return head


def words(file: BinaryIO) -> Iterator[Word]:
    """The words of an answer that ``read_answer`` has proven."""
    for _ in range(MAX_WORDS):
        line = file.readline(MAX_LINE_BYTES)
        if line.startswith(b'{"kiosk_answer_end"'):
            return
        yield _decoded(line, Word)


def _decoded(line: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("shape", "the line has not the shape of its place") from None
