"""Views on their way to the page: newest wins, happenings at once, nobody holds anybody up."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest
from screen_people import LONG_S, Browser, Station, Watching
from screen_scenes import WAITING, bins, view

from kiosk.screen.feed import INTERVAL_MS, MAX_CLIENTS, Coalescer, Feed, Message

Watch = Callable[[], Watching]


def test_a_page_that_opens_late_gets_the_whole_state_first(station: Station, watch: Watch) -> None:
    station.screen.publish(view(phase="greeting", checkins=3))
    first = watch().next()
    assert (first["phase"], first["checkins"]) == ("greeting", 3)
    assert [one["bin"] for one in first["bins"]] == ["b1", "b2", "b3", "b4"]


def test_what_was_shown_before_the_server_ran_is_not_lost(station: Station, watch: Watch) -> None:
    station.screen.publish(view(phase="closed"))
    assert watch().next()["phase"] == "closed"


def test_every_page_sees_each_visit_in_its_order(station: Station, watch: Watch) -> None:
    pages = [watch(), watch()]
    for phase in ("greeting", "weighing", "recorded", "thanks", "waiting"):
        station.screen.publish(view(phase=phase))
        for page in pages:
            page.until(lambda seen, phase=phase: seen["phase"] == phase)  # type: ignore[misc]


def test_a_silent_station_repeats_its_state_as_a_sign_of_life(
    station: Station, watch: Watch
) -> None:
    station.screen.publish(WAITING)
    page = watch()
    page.next()
    first = page.last_id
    assert page.next()["phase"] == "waiting"
    assert page.last_id == first


def test_a_flood_of_weights_becomes_a_few_and_ends_with_the_newest(
    station: Station, watch: Watch
) -> None:
    page = watch()
    for grams in range(0, 20_000, 20):
        station.screen.publish(view(phase="weighing", bin="b1", live_g=grams))
    page.until(lambda seen: seen["live_g"] == 19_980)
    assert int(page.last_id.split("-")[1]) < 500


def test_a_restarted_station_is_known_by_its_ids(station: Station, watch: Watch) -> None:
    station.screen.publish(WAITING)
    page = watch()
    page.next()
    again = Station(station.screen._setup)
    again.screen.start()
    again.screen.publish(WAITING)
    other = Watching(again.screen.port)
    other.next()
    assert page.last_id.split("-")[0] != other.last_id.split("-")[0]
    again.screen.stop()
    other.close()


def test_one_watcher_too_many_is_asked_to_come_again(
    station: Station, browser: Browser, watch: Watch
) -> None:
    station.screen.publish(WAITING)
    pages = [watch() for _ in range(MAX_CLIENTS)]
    for page in pages:
        page.next()
    assert browser.ask("GET", "/events").status == 503
    pages[0].close()
    deadline = time.monotonic() + LONG_S
    while (again := watch()).answer.status != 200:
        again.close()
        assert time.monotonic() < deadline, "a seat never became free"


def test_a_watcher_that_never_reads_is_cut_off_and_the_others_see_on(
    station: Station,
    watch: Watch,
    bare: Callable[[], socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiosk.screen.feed.SEND_S", 0.2)
    deaf, page = bare(), watch()
    host = f"127.0.0.1:{station.screen.port}"
    deaf.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    stalled = False
    for number in range(5_000):
        station.screen.publish(view(phase="greeting", checkins=number, bins=bins(13)))
        page.until(lambda seen, number=number: seen["checkins"] == number)  # type: ignore[misc]
        if number > 200 and len(station.screen._feed._clients) == 1:  # type: ignore[union-attr]
            stalled = True
            break
        time.sleep(0.001)
    assert stalled, "the deaf watcher kept its seat"
    assert ended(deaf)


def test_a_request_that_never_ends_is_given_up(
    station: Station,
    bare: Callable[[], socket.socket],
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kiosk.screen.connections.REQUEST_S", 0.2)
    slow = bare()
    slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert ended(slow)
    assert browser.ask("GET", "/").status == 200


def ended(client: socket.socket) -> bool:
    """Whether the server hung up; TimeoutError where it did not."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_happenings_go_at_once_and_weights_wait_their_turn() -> None:
    coalescer = Coalescer()
    assert coalescer.wait_ms(WAITING, 0) == 0
    coalescer.sent(WAITING, 0)
    assert coalescer.wait_ms(WAITING, 1) is None
    moving = view(phase="weighing", bin="b1", live_g=20)
    assert coalescer.wait_ms(moving, 1) == 0
    coalescer.sent(moving, 1)
    heavier = view(phase="weighing", bin="b1", live_g=40)
    assert coalescer.wait_ms(heavier, 31) == INTERVAL_MS - 30
    assert coalescer.wait_ms(heavier, 1_000) == 0
    assert coalescer.wait_ms(view(phase="weighing", bin="b1", live_g=40, records=1), 2) == 0


def test_what_changes_seldom_comes_beside_the_views_and_first_to_a_late_page(
    station: Station, watch: Watch
) -> None:
    station.screen.tell("town", {"notice": 1})
    station.screen.publish(WAITING)
    early = watch()
    assert early.next("town") == {"notice": 1}
    for notice in range(2, 500):
        station.screen.tell("town", {"notice": notice})
    seen = 0
    while early.next("town") != {"notice": 499}:
        seen += 1
    assert seen < 400
    assert watch().next("town") == {"notice": 499}


def test_what_changes_and_changes_back_ends_as_it_was_told_last() -> None:
    """A slow page takes what was between, and would keep it for ever."""

    async def slowly() -> None:
        feed, free, taken = Feed("run", asyncio.get_running_loop()), asyncio.Event(), list[bytes]()

        async def send(message: Message) -> None:
            taken.append(message["body"])
            await free.wait()

        page = asyncio.create_task(feed.stream(send, own=True))
        await asyncio.sleep(0)
        feed.tell("town", 1)
        feed.tell("town", 2)
        free.set()
        while not taken[-1].endswith(b"data: 2\n\n"):
            await asyncio.sleep(0)
        feed.tell("town", 1)
        async with asyncio.timeout(LONG_S):
            while not taken[-1].endswith(b"data: 1\n\n"):
                await asyncio.sleep(0.01)
        feed.close()
        await page

    asyncio.run(slowly())
