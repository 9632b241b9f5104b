"""Views over the projections, in SQL that SQLite and PostgreSQL read alike.

Times (``weighing_resolved``) are intervals, ``exact`` or ``bounded``, as ``kiosk.core.timeline`` resolves
them; which clock entries are believed stands in ``clock_settled``. A bound that is not known is null.

A ``recovered`` entry counts only while the entry it stands for is not stored, and once. Which entry that
is, ledger, seq and digest say: a station that went on from an old copy of its ledger has others under
numbers that are taken. ``restore`` books what a new ledger found in a bin, less what the city last knew
of it in the ledger before, less what came in as recovered: that is in the opening already.
A number beyond ``PLAUSIBLE`` is in no sum: one station's nonsense (the format allows 2^53) must not be
the city's overflow. ``day_item.implausible`` counts the entries that were left out for it.

``day_item.day`` counts days since 1970-01-01 in the city's time (UTC + 9 h, UTC_OFFSET_MS); null
where the interval does not lie in one day.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from kiosk.core.timeline import DRIFT
from sync.receiver.point_views import BALANCE

UTC_OFFSET_MS = 9 * 3600 * 1000
"""Japan Standard Time, which has no summer time."""
DAY_MS = 86_400_000
PLAUSIBLE = 1_000_000_000
"""A thousand tonnes in grams, a thousand cubic metres in millilitres; with 2^33 rows sums still fit."""

_COUNTED = """
CREATE VIEW counted AS
SELECT c.*, l.city, l.station FROM bin_change c JOIN ledger l ON l.ledger = c.ledger
WHERE c.of_ledger IS NULL OR (
    NOT EXISTS (SELECT 1 FROM entry e WHERE e.ledger = c.of_ledger AND e.seq = c.of_seq
        AND e.digest = c.of_digest)
    AND NOT EXISTS (
        SELECT 1 FROM bin_change o WHERE o.of_ledger = c.of_ledger AND o.of_seq = c.of_seq
        AND o.of_digest = c.of_digest AND (o.ledger < c.ledger OR (o.ledger = c.ledger AND o.seq < c.seq))))
"""

_ANCHORED = f"""
CREATE VIEW change_anchored AS
SELECT c.*, (
    SELECT n.seq FROM (
        SELECT b.seq, b.uncertainty_ms + abs(c.boot_ms - b.boot_ms) / {DRIFT} AS doubt_ms
        FROM clock_settled b WHERE b.ledger = c.ledger AND b.boot = c.boot AND b.believed = 1
    ) n ORDER BY n.doubt_ms, n.seq LIMIT 1) AS anchor_seq
FROM counted c
"""

_RESOLVED = f"""
CREATE VIEW change_resolved AS
SELECT c.*,
    CASE WHEN a.seq IS NOT NULL THEN 'exact' ELSE 'bounded' END AS time,
    CASE WHEN a.seq IS NOT NULL
        THEN a.utc_ms + c.boot_ms - a.boot_ms - a.uncertainty_ms
            - abs(c.boot_ms - a.boot_ms) / {DRIFT} - 1
        WHEN c.of_ledger IS NULL THEN (SELECT b.after_ms FROM clock_settled b
            WHERE b.ledger = c.ledger AND b.seq < c.seq ORDER BY b.seq DESC LIMIT 1)
        END AS from_utc_ms,
    CASE WHEN a.seq IS NOT NULL
        THEN a.utc_ms + c.boot_ms - a.boot_ms + a.uncertainty_ms
            + abs(c.boot_ms - a.boot_ms) / {DRIFT} + 1
        ELSE (SELECT b.before_ms FROM clock_settled b
            WHERE b.ledger = c.ledger AND b.seq > c.seq ORDER BY b.seq LIMIT 1)
        END AS to_utc_ms
FROM change_anchored c
LEFT JOIN clock_settled a ON a.ledger = c.ledger AND a.seq = c.anchor_seq
"""

_WEIGHING = """
CREATE VIEW weighing_resolved AS
SELECT ledger, seq, city, station, bin, item, bag, visit, net_g, gross_before_g, gross_after_g,
    uncertainty_g, mode, points, time, from_utc_ms, to_utc_ms, of_ledger, of_seq
FROM change_resolved WHERE kind = 'weighing'
"""

_DAY_ITEM = f"""
CREATE VIEW day_item AS
SELECT city, station, day, item, sum(net_g) AS net_g, sum(weighings) AS weighings,
    sum(pieces) AS pieces, sum(ml) AS ml, sum(implausible) AS implausible
FROM (
    SELECT city, station, item,
        CASE WHEN (from_utc_ms + {UTC_OFFSET_MS}) / {DAY_MS} = (to_utc_ms + {UTC_OFFSET_MS}) / {DAY_MS}
            THEN (from_utc_ms + {UTC_OFFSET_MS}) / {DAY_MS} END AS day,
        CASE WHEN kind = 'weighing' AND abs(net_g) <= {PLAUSIBLE} THEN net_g END AS net_g,
        CASE WHEN kind = 'weighing' AND abs(coalesce(net_g, 0)) <= {PLAUSIBLE}
            THEN 1 ELSE 0 END AS weighings,
        CASE WHEN abs(count) <= {PLAUSIBLE} THEN count END AS pieces,
        CASE WHEN abs(ml) <= {PLAUSIBLE} THEN ml END AS ml,
        CASE WHEN abs(coalesce(net_g, 0)) > {PLAUSIBLE} OR abs(coalesce(count, 0)) > {PLAUSIBLE}
            OR abs(coalesce(ml, 0)) > {PLAUSIBLE} THEN 1 ELSE 0 END AS implausible
    FROM change_resolved WHERE kind IN ('weighing', 'item_count')
) one GROUP BY city, station, day, item
"""

_STATION_STATE = """
CREATE VIEW station_state AS
SELECT l.city, l.station, l.ledger, l.watermark, l.progress_ms, l.continues_ledger, l.fork_seq,
    CASE WHEN EXISTS (SELECT 1 FROM ledger n WHERE n.continues_ledger = l.ledger)
        THEN 1 ELSE 0 END AS continued,
    CASE WHEN EXISTS (SELECT 1 FROM station_key k WHERE k.city = l.city
        AND k.station = l.station AND k.public_key = l.public_key AND k.revoked_ms IS NULL)
        THEN 1 ELSE 0 END AS key_valid,
    (SELECT count(*) FROM parked p WHERE p.ledger = l.ledger) AS parked,
    (SELECT count(*) FROM quarantine q WHERE q.ledger = l.ledger) AS quarantined,
    f.refused, f.refused_code, f.refused_ms
FROM ledger l LEFT JOIN station_refused f ON f.city = l.city AND f.station = l.station
UNION ALL
SELECT f.city, f.station, NULL, 0, f.refused_ms, NULL, NULL, 0, 0, 0, 0,
    f.refused, f.refused_code, f.refused_ms
FROM station_refused f
WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE l.city = f.city AND l.station = f.station)
"""

_STATION_REFUSED = """
CREATE VIEW station_refused AS
SELECT t.city, t.station, t.refused, t.refused_ms, min(r.code) AS refused_code
FROM (
    SELECT city, station, CAST(sum(times) AS BIGINT) AS refused, max(last_ms) AS refused_ms
    FROM refusal GROUP BY city, station
) t JOIN refusal r ON r.city = t.city AND r.station = t.station AND r.last_ms = t.refused_ms
GROUP BY t.city, t.station, t.refused, t.refused_ms
"""

_RESTORE = f"""
CREATE VIEW restore AS
SELECT city, station, ledger, bin, opening_g, known_g, recovered_g,
    opening_g - known_g - recovered_g AS net_g
FROM (
    SELECT l.city, l.station, l.ledger, o.bin, o.gross_g AS opening_g,
        CASE WHEN k.seq IS NULL THEN b.gross_g ELSE k.gross_after_g END AS known_g,
        (SELECT CAST(coalesce(sum(CASE WHEN c.kind = 'bag_swap' THEN -c.net_g ELSE c.net_g END), 0)
                AS BIGINT)
            FROM counted c WHERE c.ledger = l.ledger AND c.bin = o.bin AND c.of_ledger IS NOT NULL
                AND abs(c.net_g) <= {PLAUSIBLE}
        ) AS recovered_g
    FROM opening o JOIN ledger l ON l.ledger = o.ledger
    LEFT JOIN opening b ON b.ledger = l.continues_ledger AND b.bin = o.bin
    LEFT JOIN bin_change k ON k.ledger = l.continues_ledger AND k.seq = (
        SELECT max(c.seq) FROM bin_change c WHERE c.ledger = l.continues_ledger AND c.bin = o.bin
        AND c.kind <> 'item_count' AND c.of_ledger IS NULL)
    WHERE l.continues_ledger IS NOT NULL
) found
"""

VIEWS = {
    "counted": _COUNTED,
    "change_anchored": _ANCHORED,
    "change_resolved": _RESOLVED,
    "weighing_resolved": _WEIGHING,
    "day_item": _DAY_ITEM,
    "station_refused": _STATION_REFUSED,
    "station_state": _STATION_STATE,
    "restore": _RESTORE,
    "balance": BALANCE,
}
"""In the order in which they build on one another."""


def drop_views(connection: Connection) -> None:
    """Take them away, as before a table's columns change."""
    for name in reversed(VIEWS):
        connection.execute(text(f"DROP VIEW IF EXISTS {name}"))


def create_views(connection: Connection) -> None:
    """Make the views anew; they hold nothing."""
    drop_views(connection)
    for statement in VIEWS.values():
        connection.execute(text(statement))
