"""To the city and back: batches that prove themselves, acknowledgements that count or do not."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from contextlib import closing

import pytest
from ledger_site import DAY_MS, Site, checkin, close_visit, drop_many, thin, weighing

from kiosk.core.errors import StorageError
from kiosk.ledger import Ledger, Progress
from kiosk.ledger.verify import verify
from sync.messages import MAX_ENTRIES, MAX_PLAIN_BYTES, AckError, Batch, decode_batch, verify_batch
from sync.signing import Signer


def drawn(site: Site, ledger: Ledger, after: int, *, most: int = MAX_ENTRIES) -> Batch:
    payload = ledger.batch(after, most)
    assert payload is not None
    batch = decode_batch(payload)
    assert verify_batch(batch, site.signer.public_key)
    return batch


def test_a_batch_is_the_entries_and_what_opens_their_seals(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"A", visit="v-1"), weighing(0, 300), close_visit()])

    batch = drawn(site, ledger, 1)
    assert (batch.ledger, batch.first, batch.last) == (ledger.ledger_id, 2, 4)
    assert batch.head == ledger.head[1]
    assert batch.kinds == ["checkin", "weighing", "visit_close"]
    assert [(seal.seq, seal.pseudonym) for seal in batch.seals] == [(2, (b"A" * 16).hex())]
    assert ledger.batch(4) is None
    assert ledger.batch(400) is None


def test_batches_keep_to_both_bounds_and_join_on(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 30)
    small = ledger.batch(0, max_bytes=4_000)
    assert small is not None
    assert len(small) <= 4_000
    assert 3 <= decode_batch(small).last < 15
    assert ledger.batch(0, max_bytes=1) is not None

    after, before = 0, bytes(32)
    while after < ledger.head[0]:
        batch = drawn(site, ledger, after, most=7)
        assert batch.prev == before
        assert len(batch.bodies) <= 7
        after, before = batch.last, batch.head
    assert before == ledger.head[1]


def test_the_same_batch_again_is_the_same_bytes(ledger: Ledger) -> None:
    drop_many(ledger, 3)
    assert ledger.batch(1, 2) == ledger.batch(1, 2)


def test_a_thinned_entry_travels_as_its_digest(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 2)
    thin(site, ledger, 2)

    batch = drawn(site, ledger, 0)
    assert [body is None for body in batch.bodies] == [False, True, False, False]
    assert not verify(site.folder, station_key=site.signer.public_key).findings


def test_what_is_rotten_is_not_sent(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 5)
    with closing(sqlite3.connect(site.database)) as db, db:
        db.execute("UPDATE ledger SET body = replace(body, '100', '900') WHERE seq = 4")

    assert drawn(site, ledger, 0, most=3).last == 3
    with pytest.raises(StorageError) as refused:
        ledger.batch(3)
    assert refused.value.code == "damaged"


def test_the_watermark_follows_the_citys_signed_word(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 5)
    verdict = ledger.accept_ack(site.ack(ledger, 4))
    assert (verdict.accepted, verdict.watermark, verdict.epoch) == (True, 4, 1)
    ledger.close()

    again = site.open()
    assert again.progress == Progress(head_seq=6, watermark=4, epoch=1)
    again.close()


def test_acknowledgements_that_do_not_count(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 5)
    ledger.accept_ack(site.ack(ledger, 4, epoch=3))
    other = json.loads(site.ack(ledger, 5, epoch=3)) | {"ledger": "f" * 32}

    refused = {
        "bad_signature": site.ack(ledger, 5, epoch=3, signer=Signer(b"e" * 32)),
        "old_epoch": site.ack(ledger, 6, epoch=2),
        "old_seq": site.ack(ledger, 3, epoch=3),
        "head_differs": site.ack(ledger, 5, epoch=3, head=b"x" * 32),
        "unknown_seq": site.ack(ledger, 50, epoch=3, head=b"x" * 32),
    }
    for reason, payload in refused.items():
        verdict = ledger.accept_ack(payload)
        assert (verdict.accepted, verdict.reason, verdict.watermark) == (False, reason, 4)
        assert verdict.restart == (reason in ("head_differs", "unknown_seq"))
    for payload in (b"", b"{}", b"[" * 2_000, json.dumps(other).encode()):
        assert ledger.accept_ack(payload).reason == "bad_signature"


def test_a_city_restored_from_its_backup_gets_everything_again(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 5)
    ledger.accept_ack(site.ack(ledger, 6, epoch=1))
    verdict = ledger.accept_ack(site.ack(ledger, 2, epoch=2))
    assert (verdict.accepted, ledger.watermark, ledger.epoch) == (True, 2, 2)
    assert drawn(site, ledger, ledger.watermark).first == 3
    assert ledger.accept_ack(site.ack(ledger, 0, epoch=3)).watermark == 0


def test_a_gap_told_with_the_same_watermark_reaches_the_uplink(site: Site, ledger: Ledger) -> None:
    drop_many(ledger, 2)
    ledger.accept_ack(site.ack(ledger, 2))
    verdict = ledger.accept_ack(site.ack(ledger, 2, error=AckError("gap", 3)))
    assert (verdict.accepted, verdict.error_code, verdict.error_seq) == (True, "gap", 3)


def test_waiting_ends_with_an_entry_an_acknowledgement_or_the_end(
    site: Site, ledger: Ledger
) -> None:
    assert ledger.wait_head(0, 60).head_seq == 1
    assert ledger.wait_head(1, 0).head_seq == 1

    answers: list[Progress] = []
    waiting = threading.Thread(target=lambda: answers.append(ledger.wait_head(1, 60)))
    waiting.start()
    ledger.append([weighing(0, 50)])
    waiting.join(30)
    waiting = threading.Thread(target=lambda: answers.append(ledger.wait_head(9, 60)))
    waiting.start()
    while waiting.is_alive() and ledger.watermark == 0:
        ledger.accept_ack(site.ack(ledger, 2))
    ledger.close()
    waiting.join(30)
    assert [answer.head_seq for answer in answers] == [2, 2]


def test_threads_draw_batches_while_the_station_records(site: Site, ledger: Ledger) -> None:
    done = threading.Event()
    seen: list[int] = []

    def uplink() -> None:
        after = 0
        while not done.is_set() or after < ledger.head[0]:
            payload = ledger.batch(after, 10)
            if payload is None:
                ledger.wait_head(after, 0.01)
                continue
            batch = decode_batch(payload)
            seen.extend(range(batch.first, batch.last + 1))
            after = batch.last
            ledger.accept_ack(site.ack(ledger, after, head=batch.head))

    thread = threading.Thread(target=uplink)
    thread.start()
    drop_many(ledger, 150)
    done.set()
    thread.join(60)
    assert seen == list(range(1, 152))
    assert ledger.watermark == 151


def test_unlinked_seals_go_at_the_days_end_and_linked_ones_later(
    site: Site, ledger: Ledger
) -> None:
    ledger.append([checkin(b"A"), checkin(b"B", visit="v-1"), checkin(b"C")])
    assert ledger.forget_due(link_days=90) == 0
    site.clock.utc_ms += DAY_MS
    assert ledger.forget_due(link_days=90) == 2
    assert ledger.forget_due(link_days=90) == 0

    batch = drawn(site, ledger, 0)
    assert [seal.seq for seal in batch.seals] == [3]
    assert batch.kinds[-1] == "forget"
    assert batch.values[-1].count == 2
    assert batch.unseals is not None
    assert batch.unseals.seqs == [2, 4]

    site.clock.utc_ms += 90 * DAY_MS
    assert ledger.forget_due(link_days=90) == 1
    assert not verify(site.folder, station_key=site.signer.public_key).findings


def test_unseals_are_carried_until_the_city_has_read_them(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"A")])
    drawn(site, ledger, 0)
    ledger.accept_ack(site.ack(ledger, 2))
    site.clock.utc_ms += DAY_MS
    ledger.forget_due(link_days=0)
    for _ in range(2):
        unseals = drawn(site, ledger, 2).unseals
        assert unseals is not None
        assert unseals.seqs == [2]
    ledger.accept_ack(site.ack(ledger, 3))
    drop_many(ledger, 1)
    assert drawn(site, ledger, 3).unseals is None

    ledger.accept_ack(site.ack(ledger, 0, epoch=2))
    again = drawn(site, ledger, 0)
    assert again.unseals is not None
    assert again.unseals.seqs == [2]


def test_what_is_sent_again_goes_with_the_seals_that_were_forgotten_since(
    site: Site, ledger: Ledger
) -> None:
    """Somebody took them out on the way, and the city asks."""
    ledger.append([checkin(b"A")])
    site.clock.utc_ms += DAY_MS
    ledger.forget_due(link_days=0)
    drop_many(ledger, 1)
    ledger.accept_ack(site.ack(ledger, 4))
    ledger.send_again(0)
    again = drawn(site, ledger, 0)
    assert again.unseals is not None and again.unseals.seqs == [2]


def test_an_older_copy_that_arrives_in_the_place_of_a_newer_one_keeps_no_list_from_the_city(
    site: Site, ledger: Ledger
) -> None:
    """The copy with the list was lost on the line, the city has signed for the one before it."""
    ledger.append([checkin(b"A")])
    drawn(site, ledger, 0)
    site.clock.utc_ms += DAY_MS
    ledger.forget_due(link_days=0)
    drawn(site, ledger, 0, most=2)
    ledger.accept_ack(site.ack(ledger, 2))
    rest = drawn(site, ledger, 2)
    assert rest.kinds == ["forget"] and rest.unseals is not None and rest.unseals.seqs == [2]


@pytest.mark.parametrize("seed", range(4))
def test_whoever_stored_a_forget_entry_has_its_list_however_the_batches_were_cut(
    site: Site, ledger: Ledger, seed: int
) -> None:
    rng = random.Random(seed)
    lists: dict[int, set[int]] = {}
    seals: list[int] = []
    for _ in range(6):
        people = [checkin(bytes([65 + n % 26])) for n in range(rng.randrange(1, 700))]
        for start in range(0, len(people), 100):
            seals += ledger.append(people[start : start + 100])
        site.clock.utc_ms += DAY_MS
        while count := ledger.forget_due(link_days=0):
            lists[ledger.head[0]], seals = set(seals[:count]), seals[count:]
    after = 0
    while after < ledger.head[0]:
        most_bytes = rng.choice([1, 4_000, 20_000, MAX_PLAIN_BYTES])
        payload = ledger.batch(after, rng.choice([1, 7, 300, MAX_ENTRIES]), most_bytes)
        assert payload is not None
        batch = decode_batch(payload)
        assert len(payload) <= most_bytes or batch.first == batch.last
        told = set() if batch.unseals is None else set(batch.unseals.seqs)
        held = [gone for at, gone in lists.items() if batch.first <= at <= batch.last]
        assert told == set().union(*held)
        # An older copy that came again and again would have moved nothing.
        after = batch.last if rng.random() < 0.7 else rng.randrange(batch.first - 1, batch.last)


def test_a_guessed_day_forgets_nobody(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"A")])
    site.clock.utc_ms += 9 * DAY_MS
    site.clock.clock = "unsynced"
    assert ledger.forget_due(link_days=0) == 0


def test_a_forgotten_pseudonym_is_nowhere_on_the_disk(site: Site, ledger: Ledger) -> None:
    ledger.append([checkin(b"Q"), *(checkin(bytes([n])) for n in range(65, 81))])
    ledger.batch(0)
    site.clock.utc_ms += DAY_MS
    ledger.forget_due(link_days=0)
    ledger.close()

    for path in site.folder.iterdir():
        assert b"Q" * 16 not in path.read_bytes()
