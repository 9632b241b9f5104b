"""The way to a platform, over real sockets: whatever it does is a sentence, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sink_site import (
    Act,
    Platform,
    Request,
    a_day,
    answer,
    certificate,
    drain,
    drip,
    reset_in_mid_body,
    set_clock,
    silent,
    store_all,
)
from sync_site import Book

from kiosk.core.errors import OperatorError
from sync.receiver.fiware.agent_sink import AgentSink
from sync.receiver.fiware.broker_sink import CORE, BrokerSink, refused
from sync.receiver.fiware.http import Client
from sync.receiver.fiware.settings import Settings, StationPlace
from sync.receiver.sinks import Away, Follower, Sink
from sync.receiver.sinks.standing import standings

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
HALL = {"hall-1": StationPlace(name="Hall", location=(139.75, 35.66))}
ALL = frozenset(("WasteContainer", "RecyclingStation", "RecyclingDayTotal", "RecyclingDeposit"))
TOWN = Settings(entities=ALL, stations=HALL, apikey="key-1", timeout_s=0.5)


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    yield made
    made.close()


OPENED: list[Sink] = []


@pytest.fixture(autouse=True)
def closed_at_last() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def to_broker(url: str, settings: Settings = TOWN, **other: Any) -> BrokerSink:
    client = Client(url, timeout_s=settings.timeout_s, **other)
    sink = BrokerSink("fiware", client, settings)
    OPENED.append(sink)
    return sink


def to_agent(url: str) -> AgentSink:
    sink = AgentSink("fiware", Client(url, timeout_s=0.5), TOWN)
    OPENED.append(sink)
    return sink


def trouble(city: sa.Engine) -> str | None:
    with city.connect() as connection:
        return standings(connection)[0].trouble_code


def aside(city: sa.Engine) -> dict[str, str]:
    with city.connect() as connection:
        return {subject: code for subject, code, _ in standings(connection)[0].aside}


def test_a_day_arrives_at_a_context_broker(city: sa.Engine, platform: Platform) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)
    drain(Follower(city, to_broker(platform.url)))
    (request,) = platform.requests
    assert request.path == "/ngsi-ld/v1/entityOperations/upsert"
    assert request.query == {}, "the whole entity is replaced"
    assert request.headers["content-type"] == "application/ld+json"
    kinds = [one["type"] for one in request.json]
    assert kinds == [
        "RecyclingStation", "WasteContainer", "WasteContainer",
        "RecyclingDayTotal", "RecyclingDayTotal", *["RecyclingDeposit"] * 5,
    ]  # fmt: skip
    assert all(one["@context"][-1] == CORE for one in request.json)
    assert "cargoWeight" in request.json[0]["@context"][0]
    total = next(one for one in request.json if one["id"].endswith(":2026-09-21:pet-bottle"))
    assert total["netWeight"] == {"type": "Property", "value": 0.4, "unitCode": "KGM"}
    assert total["periodFrom"]["value"]["@value"] == "2026-09-20T15:00:00.000Z"


def test_no_pseudonym_seal_salt_or_visit_leaves_by_any_sink(
    city: sa.Engine, platform: Platform
) -> None:
    """Every byte of a day with cards: bodies, addresses and headers, in every form of each secret."""
    book = Book()
    a_day(book)
    book.weigh(1, visit="visit-of-somebody")
    store_all(city, book)
    for sink in (to_broker(platform.url), to_agent(platform.url)):
        drain(Follower(city, sink))
        with city.begin() as connection:
            connection.execute(sa.text("DELETE FROM sink_cursor"))
            connection.execute(sa.text("DELETE FROM sink_state"))
    sent = b"\n".join(
        repr((request.path, request.query, request.headers)).encode() + request.body
        for request in platform.requests
    ).lower()
    assert b"recyclingdeposit" in sent and b"changeid" in sent
    assert len(book.seals) == 2
    secrets = ["visit-of-somebody", '"v1"', '"visit"', '"seal"', '"points"', '"checkin"']
    for seal in book.seals.values():
        entry = json.loads(book.rows[seal.seq - 1][0] or b"")
        secrets += [seal.pseudonym, seal.salt, entry["seal"]]
        secrets += [bytes.fromhex(seal.pseudonym).decode(), f"-{seal.seq}-"]
    for secret in secrets:
        assert secret.lower().encode() not in sent


def test_what_could_be_searched_for_is_found_where_it_is(city: sa.Engine) -> None:
    """The search above can fail: the same words stand in what the city stores."""
    book = Book()
    a_day(book)
    store_all(city, book)
    with city.connect() as connection:
        stored = "".join(connection.execute(sa.text("SELECT body FROM entry")).scalars())
    assert '"v1"' in stored and '"seal"' in stored


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (answer(500), "platform_failing"),
        (answer(503, Retry_After="7"), "platform_failing"),
        (answer(429), "platform_failing"),
        (answer(401), "not_let_in"),
        (answer(403), "not_let_in"),
        (answer(404), "not_a_broker"),
        (answer(301, Location="http://127.0.0.1:9/elsewhere"), "redirected"),
        (answer(308, Location="/ngsi-ld/v2"), "redirected"),
        (reset_in_mid_body, "unreachable"),
        (silent, "no_answer"),
        (drip, "no_answer"),
        (answer(207, b"{not json"), "answer_torn"),
        (answer(207, b'{"errors": 7}'), "answer_torn"),
        (
            answer(207, b'{"errors":[{"entityId":"urn:x","error":{"status":503}}]}'),
            "platform_failing",
        ),
    ],
    ids=[
        "500", "503", "429", "401", "403", "404", "301", "308", "reset", "silent", "drip", "torn 207",
        "odd 207", "503 in 207",
    ],
)  # fmt: skip
def test_a_platform_in_trouble_is_told_in_words_and_gets_all_of_it_later(
    one_city: sa.Engine, platform: Platform, act: Act, code: str
) -> None:
    book = Book()
    set_clock(book)
    book.weigh(2)
    store_all(one_city, book)
    platform.script = [act]
    follower = Follower(one_city, to_broker(platform.url))
    follower.step()
    assert trouble(one_city) == code
    first = len(platform.requests)
    drain(follower)
    assert trouble(one_city) is None
    assert aside(one_city) == {}
    assert platform.requests[first].body == platform.requests[0].body, "the same again"
    assert len([one for one in platform.entities() if ":RecyclingDeposit:" in one]) == 2


def test_a_platform_that_is_not_there_is_told_and_waited_for(one_city: sa.Engine) -> None:
    store_all(one_city, Book())
    gone = Platform()
    gone.close()
    Follower(one_city, to_broker(gone.url)).step()
    assert trouble(one_city) == "unreachable"


def test_one_entity_that_the_broker_cannot_stand_is_found_and_set_aside(city: sa.Engine) -> None:
    """The broker says 400 to the whole request; halving finds whose fault it is."""
    book = Book()
    set_clock(book)
    book.weigh(20)
    store_all(city, book)
    poison = f":{book.ledger}-9-".encode()
    platform = Platform(
        lambda request: answer(400, b'{"title":"no"}') if poison in request.body else answer(204)
    )
    try:
        drain(Follower(city, to_broker(platform.url)))
    finally:
        platform.close()
    (subject,) = aside(city)
    assert poison.decode() in subject
    assert aside(city)[subject] == "http_400"
    taken = {
        one["id"]
        for request in platform.requests
        if poison not in request.body
        for one in request.json
    }
    assert len([one for one in taken if ":RecyclingDeposit:" in one]) == 19
    assert len(platform.requests) <= 1 + 2 * 6, "as many as halving needs"


def test_what_a_multi_status_names_is_set_aside_and_nothing_else(
    city: sa.Engine, platform: Platform
) -> None:
    book = Book()
    set_clock(book)
    book.weigh(3)
    store_all(city, book)
    bad = "urn:ngsi-ld:WasteContainer:demo:hall-1:b1"
    error = {"entityId": bad, "error": {"type": "BadRequestData", "title": "no", "status": 400}}
    result = {"success": ["…"], "errors": [error, error | {"entityId": "urn:of:others"}]}
    platform.script = [answer(207, json.dumps(result).encode())]
    follower = Follower(city, to_broker(platform.url))
    drain(follower)
    assert aside(city) == {bad: "http_400"}
    assert len(platform.requests) == 1


def test_the_same_batch_twice_is_the_same_once_to_a_broker(
    city: sa.Engine, platform: Platform
) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)
    drain(Follower(city, to_broker(platform.url)))
    once = platform.entities()
    with city.begin() as connection:
        for name in ("cursor", "bin", "day", "open", "state"):
            connection.execute(sa.text(f"DELETE FROM sink_{name}"))
    drain(Follower(city, to_broker(platform.url)))
    assert len(platform.requests) == 2
    assert platform.entities() == once


def test_a_connection_that_the_platform_closed_while_it_was_idle_is_opened_anew(
    one_city: sa.Engine, platform: Platform
) -> None:
    book = Book()
    store_all(one_city, book)
    sink = to_broker(platform.url)
    follower = Follower(one_city, sink)
    drain(follower)

    def close_quietly(handler: Any) -> None:
        answer(204)(handler)
        handler.close_connection = True

    platform.script = [close_quietly]
    for after in (1, 2):
        book.weigh(1)
        store_all(one_city, book, after)
        drain(follower)
    assert trouble(one_city) is None
    assert len(platform.requests) == 3


def test_a_token_comes_from_its_file_each_time_and_goes_nowhere_in_the_clear(
    one_city: sa.Engine, platform: Platform, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first\n", encoding="ascii")
    book = Book()
    store_all(one_city, book)
    follower = Follower(one_city, to_broker(platform.url, token_file=token))
    drain(follower)
    token.write_text("second\n", encoding="ascii")
    book.weigh(1)
    store_all(one_city, book, 1)
    drain(follower)
    heads = [request.headers["authorization"] for request in platform.requests]
    assert heads == ["Bearer first", "Bearer second"]
    token.write_text("two\nlines", encoding="ascii")
    book.weigh(1)
    store_all(one_city, book, 2)
    follower.step()
    assert trouble(one_city) == "token_unreadable"
    with pytest.raises(OperatorError, match="anybody can read"):
        Client("http://platform.example", timeout_s=1, token_file=token)


@pytest.mark.parametrize(
    "url", ["ftp://x", "https://", "https://u:p@x", "https://x:y", "https://x?k=1"]
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Client(url, timeout_s=1)
    assert "p@" not in str(caught.value)


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path, one_city: sa.Engine) -> None:
    key, cert = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    platform = Platform(tls=context)
    try:
        book = Book()
        store_all(one_city, book)
        Follower(one_city, to_broker(platform.url)).step()
        assert trouble(one_city) == "tls_refused"
        assert platform.requests == []
        with one_city.begin() as connection:
            connection.execute(sa.text("UPDATE sink_state SET until_ms = 0"))
        drain(Follower(one_city, to_broker(platform.url, ca_file=cert)))
        assert len(platform.requests) == 1
    finally:
        platform.close()


def test_measures_arrive_at_an_iot_agent_a_device_a_bin(
    city: sa.Engine, platform: Platform
) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)
    drain(Follower(city, to_agent(platform.url)))
    by_bin = {request.query["i"][0]: request for request in platform.requests}
    assert by_bin.keys() == {"demo:hall-1:b1", "demo:hall-1:b2"}
    assert {(r.path, r.query["k"][0]) for r in platform.requests} == {("/iot/json", "key-1")}
    assert {r.headers["content-type"] for r in platform.requests} == {"application/json"}
    measures = by_bin["demo:hall-1:b1"].json
    digest = book.rows[3][1].hex()[:16]
    assert measures[0] == {
        "changeId": f"{book.ledger}-4-{digest}", "changeKind": "weighing", "item": "pet-bottle",
        "timeQuality": "exact", "notBefore": "2026-09-21T14:13:23.949Z",
        "notAfter": "2026-09-21T14:13:24.051Z", "TimeInstant": "2026-09-21T14:13:24.000Z",
        "netWeight": 0.1, "cargoWeight": 0.1,
    }  # fmt: skip
    assert [m["cargoWeight"] for m in measures] == [0.1, 0.2, 0.3, 0.4, 0.0, 0.0]
    assert by_bin["demo:hall-1:b2"].json["pieces"] == 3, "one measure is no array"


def test_a_bounded_measure_has_no_time_instant_and_is_not_sent_twice(
    city: sa.Engine, platform: Platform
) -> None:
    book = Book()
    book.weigh(1)
    store_all(city, book)
    follower = Follower(city, to_agent(platform.url))
    drain(follower)
    assert "TimeInstant" not in platform.requests[0].json
    set_clock(book)
    store_all(city, book, 2)
    drain(follower)
    assert len(platform.requests) == 1


def test_a_device_that_nobody_provisioned_holds_up_no_other(city: sa.Engine) -> None:
    book = Book()
    a_day(book)
    store_all(city, book)

    def agent(request: Request) -> Act:
        unknown = request.query["i"] == ["demo:hall-1:b2"]
        return answer(404, b'{"name":"DEVICE_NOT_FOUND"}') if unknown else answer(200)

    platform = Platform(agent)
    try:
        drain(Follower(city, to_agent(platform.url)))
    finally:
        platform.close()
    (subject,) = aside(city)
    assert subject.startswith("demo:hall-1:b2 ")
    assert trouble(city) is None


def test_one_measure_that_the_agent_refuses_does_not_take_its_neighbours_along(
    city: sa.Engine,
) -> None:
    book = Book()
    set_clock(book)
    book.weigh(8)
    store_all(city, book)
    poison = f"{book.ledger}-5-".encode()
    platform = Platform(lambda r: answer(400) if poison in r.body else answer(200))
    try:
        drain(Follower(city, to_agent(platform.url)))
    finally:
        platform.close()
    assert len(aside(city)) == 1
    taken = b"".join(r.body for r in platform.requests if poison not in r.body)
    assert taken.count(b"changeId") == 7


@settings(derandomize=True, max_examples=80 * SIZE, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["errors", "entityId", "error", "status"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
        st.just(b"[" * 200_000),
        st.just(b'{"errors":' * 50_000),
    )
)
def test_no_answer_of_a_broker_can_end_the_sink(body: bytes) -> None:
    try:
        for subject, status, why in refused(body):
            assert isinstance(subject, str)
            assert status is None or isinstance(status, int)
            assert len(why) <= 300
    except Away as away:
        assert away.code == "answer_torn"


def test_every_way_to_a_platform_is_a_sink() -> None:
    ways: list[Sink] = [to_broker("http://127.0.0.1:9"), to_agent("http://127.0.0.1:9")]
    for way in ways:
        assert way.name == "fiware"
        way.close()
    with pytest.raises(OperatorError, match="apikey"):
        AgentSink("x", Client("http://127.0.0.1:9", timeout_s=1), Settings())
    assert issubclass(Away, Exception)
