"""Where broker, station and main thread meet: PUBACKs never wait for a place."""

from __future__ import annotations

import queue
import threading
from contextlib import closing

import pytest
from city_site import Mosquitto

from sync.inbox import FromBroker, Inbox
from sync.mqtt import Broker, Connection, Opened, Taken

WAIT_S = 20.0
MESSAGES = 200


def test_a_full_inbox_keeps_nobody_from_publishing(broker: Mosquitto) -> None:
    """Every place is taken, the broker PUBACKs, and the main thread goes on publishing."""
    inbox: Inbox[str] = Inbox(1)
    made = Connection(
        Broker("127.0.0.1", broker.port), inbox.hear, client_id="full", topics=("inbox/ack",)
    )
    with closing(made):
        made.open()
        opened = inbox.get(WAIT_S)
        assert isinstance(opened, FromBroker)
        assert isinstance(opened.event, Opened)
        inbox.put("the watcher's news")
        sent: list[int] = []

        def publish() -> None:
            for _ in range(MESSAGES):
                sent.append(made.publish("inbox/ledger", b"{}"))

        publisher = threading.Thread(target=publish, daemon=True)
        publisher.start()
        publisher.join(WAIT_S)
        assert len(sent) == MESSAGES
        assert inbox.get(WAIT_S) == "the watcher's news"
        taken = [inbox.get(WAIT_S) for _ in range(MESSAGES)]
        heard = [item.event for item in taken if isinstance(item, FromBroker)]
        assert sorted(event.mid for event in heard if isinstance(event, Taken)) == sorted(sent)


def test_others_wait_for_a_place_and_keep_their_order() -> None:
    inbox: Inbox[int] = Inbox(2)

    def post() -> None:
        for each in range(50):
            inbox.put(each)

    poster = threading.Thread(target=post, daemon=True)
    poster.start()
    assert [inbox.get(WAIT_S) for _ in range(50)] == list(range(50))
    poster.join(WAIT_S)
    with pytest.raises(queue.Empty):
        inbox.get(0.0)
