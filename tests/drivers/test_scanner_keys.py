"""A scanner that plays keyboard: the kernel's events in, texts out."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hw_sim.keyboard_peer import LEFT_SHIFT, REPEATED, event, key, typed
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.key_layout import KEY_CAPSLOCK, KEY_ENTER, QUIET, Layout, characters
from drivers.scanner_keyboard import EVIOCGRAB, grabbed
from drivers.scanner_keys import EV_SYN, EVENT, SUBSTITUTE, SYN_DROPPED, SYN_REPORT, Decoder, Frame
from drivers.scanner_line import MAX_TEXT_BYTES, PATIENCE_MS, Half, Overlong, Text

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
CARD = "W507%1100KB0*M0DY0W01$APQ:EI8T6-VPU7+83EX1N1P"
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LOST = event(EV_SYN, SYN_DROPPED, 0)
REPORT = event(EV_SYN, SYN_REPORT, 0)
A_KEY, ESCAPE, LEFT_CONTROL, LEFT_ALT = 30, 1, 29, 56


def heard(raw: bytes, layout: Layout = "us") -> list[Frame]:
    return Decoder(layout).feed(raw, 0)


@pytest.mark.parametrize("layout", ["us", "jis"])
def test_a_card_typed_on_either_keyboard_is_read(layout: Layout) -> None:
    assert heard(typed(CARD + BASE45, layout), layout) == [Text((CARD + BASE45).encode())]


@pytest.mark.parametrize("layout", ["us", "jis"])
def test_every_printable_character_has_a_key(layout: Layout) -> None:
    on_keys = {char for pair in characters(layout).values() for char in pair}
    assert set(string.printable) - set("\n\r\x0b\x0c") <= on_keys


def test_a_scanner_set_to_another_keyboard_types_another_text() -> None:
    (text,) = heard(typed(CARD, "jis"), "us")
    assert isinstance(text, Text) and text.data != CARD.encode()


def test_a_held_key_repeats_nothing() -> None:
    raw = key(A_KEY, 1) + key(A_KEY, REPEATED) * 20 + key(A_KEY, 0) + key(KEY_ENTER, 1)
    assert heard(raw + key(KEY_ENTER, REPEATED)) == [Text(b"a")]


def test_caps_lock_turns_letters_and_nothing_else() -> None:
    lock = key(KEY_CAPSLOCK, 1) + key(KEY_CAPSLOCK, 0)
    assert heard(lock + typed("a1B")) == [Text(b"A1b")]
    assert heard(lock + lock + typed("a1B")) == [Text(b"a1B")]


def test_on_a_japanese_keyboard_caps_lock_needs_shift() -> None:
    lock = key(KEY_CAPSLOCK, 1) + key(KEY_CAPSLOCK, 0)
    assert heard(lock + typed("a", "jis"), "jis") == [Text(b"a")]
    shifted = key(LEFT_SHIFT, 1) + lock + key(LEFT_SHIFT, 0)
    assert heard(shifted + typed("a", "jis"), "jis") == [Text(b"A")]


def test_a_key_without_a_character_spoils_the_text_and_is_not_left_out() -> None:
    for code in (ESCAPE, 14, 59, 0x1FF):
        raw = typed("A", enter=False) + key(code, 1) + key(code, 0) + typed("B")
        assert heard(raw) == [Text(bytes((ord("A"), SUBSTITUTE, ord("B"))))]
    held = key(LEFT_ALT, 1) + key(A_KEY, 1) + key(A_KEY, 0) + key(LEFT_ALT, 0)
    assert heard(held + key(KEY_ENTER, 1)) == [Text(bytes((SUBSTITUTE,)))]


def test_control_and_a_letter_are_the_control_character_of_old() -> None:
    raw = key(LEFT_CONTROL, 1) + typed("b", enter=False) + key(LEFT_CONTROL, 0) + typed("A")
    assert heard(raw) == [Text(b"\x02A")]


@pytest.mark.parametrize("layout", ["us", "jis"])
def test_keys_that_type_nothing_are_passed_over(layout: Layout) -> None:
    quiet = b"".join(key(code, 1) + key(code, 0) for code in QUIET[layout])
    assert heard(quiet + typed("A", layout), layout) == [Text(b"A")]


def test_of_a_text_from_which_the_kernel_lost_keys_nothing_is_told() -> None:
    decoder = Decoder()
    half = typed("W507", enter=False) + LOST + key(A_KEY, 1) + typed("1100KB0")
    assert decoder.feed(half, 0) == []
    assert decoder.feed(typed(CARD), 10) == [Text(CARD.encode())]


def test_a_shift_whose_release_was_lost_does_not_stay() -> None:
    raw = key(LEFT_SHIFT, 1) + LOST + event(1, LEFT_SHIFT, 0) + REPORT + key(KEY_ENTER, 1)
    assert heard(raw + typed("a1")) == [Text(b"a1")]


def test_after_a_loss_the_rest_of_a_scan_ends_with_its_pause() -> None:
    decoder = Decoder()
    assert decoder.feed(LOST + REPORT + typed("KB0", enter=False), 0) == []
    assert decoder.feed(typed("A"), PATIENCE_MS + 1) == [Text(b"A")]


def test_a_text_without_enter_is_given_up() -> None:
    decoder = Decoder()
    assert decoder.feed(typed("HALF", enter=False), 0) == []
    assert decoder.feed(b"", PATIENCE_MS) == []
    assert decoder.feed(typed("A"), PATIENCE_MS + 1) == [Half(4), Text(b"A")]


def test_what_is_longer_than_any_qr_code_is_told() -> None:
    raw = key(A_KEY, 1) * (MAX_TEXT_BYTES + 1) + key(KEY_ENTER, 1)
    assert heard(raw + typed("A")) == [Overlong(MAX_TEXT_BYTES + 1), Text(b"A")]


EVENTS = st.tuples(
    st.sampled_from([0, 1, 1, 1, 4]), st.sampled_from([0, 3, 28, 30, 42, 58, 29]), st.integers(0, 2)
).map(lambda parts: event(*parts))


@settings(max_examples=300 * SIZE, deadline=None)
@given(st.lists(EVENTS, max_size=30), st.lists(st.integers(0, 800), max_size=10))
def test_the_pieces_in_which_events_come_change_nothing(raw: list[bytes], cuts: list[int]) -> None:
    line = b"".join(raw)
    decoder, frames, at = Decoder(), list[Frame](), 0
    for cut in [*sorted(cuts), len(line)]:
        frames += decoder.feed(line[at:cut], 0)
        at = max(at, cut)
    assert frames == heard(line)


@settings(max_examples=200 * SIZE, deadline=None)
@given(st.binary(max_size=2_000), st.sampled_from(["us", "jis"]))
def test_any_bytes_are_borne(raw: bytes, layout: Layout) -> None:
    heard(raw, layout)


@settings(max_examples=100 * SIZE, deadline=None)
@given(st.text(BASE45 + string.ascii_lowercase, min_size=1, max_size=60))
def test_what_is_typed_is_read(text: str) -> None:
    for layout in ("us", "jis"):
        assert heard(typed(text, layout), "jis" if layout == "jis" else "us") == [
            Text(text.encode())
        ]


def test_the_grab_is_the_kernels_request_number() -> None:
    """``_IOW('E', 0x90, int)``: direction, size, type, number (asm-generic/ioctl.h)."""
    assert 1 << 30 | 4 << 16 | ord("E") << 8 | 0x90 == EVIOCGRAB
    assert EVENT.size in (16, 24)


def test_what_is_no_input_device_is_not_taken_for_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match=r"ioctl|argument"):
        grabbed(str(pipe))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
