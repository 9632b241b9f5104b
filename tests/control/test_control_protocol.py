"""The control socket's lines, whatever bytes come in."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.control.protocol import (
    MAX_LINE_BYTES,
    Answer,
    Request,
    line_of,
    parse_answer,
    parse_request,
)
from kiosk.core.errors import OperatorError

GOOD = b'{"v":2,"id":7,"op":"wait","args":{"after":41,"timeout_ms":1000}}'


def test_a_request_is_read_as_the_protocol_shows_it() -> None:
    assert parse_request(GOOD) == Request(2, 7, "wait", {"after": 41, "timeout_ms": 1000})
    assert parse_request(b'{"v":2,"id":0,"op":"hello"}').args == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "bad_request"),
        (b"hello", "bad_request"),
        (b"[]", "bad_request"),
        (b'{"v":2,"id":-1,"op":"hello"}', "bad_request"),
        (b'{"v":2,"id":1.5,"op":"hello"}', "bad_request"),
        (b'{"v":2,"id":1,"op":"../x"}', "bad_request"),
        (b'{"v":2,"id":1,"op":"hello","extra":1}', "bad_request"),
        (b'{"v":2,"id":1,"op":"hello","args":[]}', "bad_request"),
        (b'{"v":1,"id":1,"op":"hello"}', "other_version"),
        (b"[" * 100_000, "bad_request"),
        (b'{"v":2,"id":1,"op":"hello","args":{"a":"\xff"}}', "bad_request"),
    ],
)
def test_what_is_no_request_is_refused_in_words(line: bytes, code: str) -> None:
    with pytest.raises(OperatorError) as refused:
        parse_request(line)
    assert refused.value.code == code


def test_a_request_with_some_bytes_changed_is_a_request_or_refused() -> None:
    draw = random.Random(20_261)
    for _ in range(5_000):
        line = bytearray(GOOD)
        for _ in range(draw.randint(1, 4)):
            line[draw.randrange(len(line))] = draw.randrange(256)
        try:
            assert isinstance(parse_request(bytes(line)), Request)
        except OperatorError as refused:
            assert refused.code in ("bad_request", "other_version")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_refused(line: bytes) -> None:
    try:
        assert isinstance(parse_answer(line), Answer)
    except OperatorError as refused:
        assert refused.code == "bad_answer"


def test_an_answer_says_only_what_it_has_to_say() -> None:
    assert json.loads(line_of(Answer(2, 7, ok={}))) == {"v": 2, "id": 7, "ok": {}}
    with pytest.raises(ValueError, match="bytes on the control socket"):
        line_of(Answer(2, 7, ok={"payload": "x" * MAX_LINE_BYTES}))
