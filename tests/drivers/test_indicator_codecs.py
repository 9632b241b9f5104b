"""One contract for every indicator's codec, held to each maker's transcript and to a damaged line."""

from __future__ import annotations

import os
import random

import pytest
from indicator_site import STREAMS, TRANSCRIPTS, damaged, frames, read, said

from drivers.decode import decode
from drivers.protocols import PROTOCOLS
from drivers.telegram import MAX_LINE_BYTES, Frame, Skipped

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
STREAMS_A_SIZE = 300

every_codec = pytest.mark.parametrize("protocol", list(PROTOCOLS))


def test_every_protocol_has_a_transcript_and_a_stream() -> None:
    assert set(TRANSCRIPTS) == set(STREAMS) == set(PROTOCOLS)


@every_codec
def test_the_transcript_says_what_a_person_reads(protocol: str) -> None:
    transcript = TRANSCRIPTS[protocol]
    found = read(protocol, transcript.raw)
    assert tuple(said(frame) for frame in frames(found)) == transcript.says
    skipped = sum(one.length for one in found if isinstance(one, Skipped))
    assert skipped == transcript.skipped_bytes


@every_codec
def test_the_transcript_reads_the_same_however_it_is_split(protocol: str) -> None:
    raw = TRANSCRIPTS[protocol].raw
    whole = read(protocol, raw)
    for cut in range(1, len(raw)):
        assert read(protocol, raw[:cut], raw[cut:]) == whole, cut
    assert read(protocol, *(raw[i : i + 1] for i in range(len(raw)))) == whole
    rng = random.Random(3)
    for _ in range(20 * SIZE):
        cuts = sorted(rng.choices(range(len(raw)), k=5))
        pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
        assert read(protocol, *pieces) == whole


@every_codec
def test_a_port_opened_anywhere_never_says_what_was_not_sent(protocol: str) -> None:
    raw = TRANSCRIPTS[protocol].raw
    sent = set(TRANSCRIPTS[protocol].says)
    for start in range(len(raw)):
        assert {said(frame) for frame in frames(read(protocol, raw[start:]))} <= sent, start


@every_codec
def test_every_byte_is_in_a_frame_or_told_as_skipped(protocol: str) -> None:
    """Between two frames lies a line end at most, or a stretch that is told."""
    raw = TRANSCRIPTS[protocol].raw
    covered = 0
    found = read(protocol, raw)
    for one, following in zip(found, [*found[1:], None], strict=True):
        assert one.offset == covered
        end = len(raw) if following is None else following.offset
        if isinstance(one, Skipped):
            assert one.offset + one.length == end
        else:
            assert raw[one.offset : end].strip(b"\r\n").count(b"\n") == 0
        covered = end
    assert covered == len(raw)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\n\r"])
@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "sma"])
def test_an_indicator_set_to_another_line_end_reads_the_same(protocol: str, end: bytes) -> None:
    """SMA's line feed stands before the telegram, and no setting changes that."""
    transcript = TRANSCRIPTS[protocol]
    found = read(protocol, transcript.raw.replace(b"\r\n", end))
    assert tuple(said(frame) for frame in frames(found)) == transcript.says


@every_codec
def test_noise_without_end_is_skipped_in_bounded_memory(protocol: str) -> None:
    codec = PROTOCOLS[protocol].decoder()
    for noise in (bytes(1000), b" " * 1000, b"0" * 1000, b"S" * 1000):
        skipped = [one for _ in range(100) for one in codec.feed(noise)]
        assert all(isinstance(one, Skipped) for one in skipped)
    told = sum(one.length for one in skipped if isinstance(one, Skipped))
    assert told >= 100_000 - MAX_LINE_BYTES
    codec.feed(b"\r\n")
    after = [*codec.feed(b"\r\n" + TRANSCRIPTS[protocol].raw), *codec.end()]
    assert tuple(said(one) for one in after if isinstance(one, Frame)) == TRANSCRIPTS[protocol].says


@every_codec
def test_telegrams_run_together_say_at_most_the_last(protocol: str) -> None:
    for telegram in STREAMS[protocol].telegrams:
        bare = telegram.rstrip(b"\r\n")
        found = frames(read(protocol, bare * 2 + b"\r\n", telegram))
        sent = {said(frame) for frame in frames(read(protocol, telegram))}
        assert {said(frame) for frame in found} <= sent


@every_codec
def test_a_damaged_line_never_says_what_was_not_sent(protocol: str) -> None:
    counts = damaged(protocol, STREAMS_A_SIZE * SIZE, seed=7)
    assert counts["damaged"] > 0.8 * STREAMS_A_SIZE * SIZE
    assert counts["false"] == 0, [name for name in counts if name.startswith("false:")]


@every_codec
@pytest.mark.parametrize("times", [0, 2], ids=["lost", "doubled"])
def test_every_single_byte_lost_or_doubled_in_turn(protocol: str, times: int) -> None:
    """No chance in it: each byte of each telegram once, between good telegrams of the same stream."""
    source = STREAMS[protocol].telegrams
    sent = {said(frame) for t in source for frame in frames(read(protocol, t * 3))}
    for telegram in source:
        for at in range(len(telegram)):
            hurt = telegram[:at] + telegram[at : at + 1] * times + telegram[at + 1 :]
            found = frames(read(protocol, telegram * 2 + hurt + telegram * 2))
            assert {said(frame) for frame in found} <= sent, hurt


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "generic"])
def test_the_maker_is_recognised_and_the_generic_codec_never_wins(protocol: str) -> None:
    raw = b"".join(telegram * 2 for telegram in STREAMS[protocol].telegrams)
    *lines, summary = decode(raw)
    assert {line["protocol"] for line in lines if "protocol" in line} == {protocol}
    assert summary["frames"] == 2 * len(STREAMS[protocol].telegrams)


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "cas"])
def test_seven_bits_captured_as_eight_read_as_seven(protocol: str) -> None:
    """The lamp byte of CAS has eight bits and no parity."""
    raw = b"".join(telegram * 2 for telegram in STREAMS[protocol].telegrams)
    plain = list(decode(raw, protocol))
    for odd in (0, 1):
        wired = bytes(b | ((b.bit_count() + odd) % 2) << 7 for b in raw)
        assert list(decode(wired, protocol)) == plain
