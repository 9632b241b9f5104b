"""A ledger as JSON lines, whole enough that a city can check and import it from a stick.

::

    {"kiosk_export":1,"ledger":hex,"station":…,"city":…,"key":hex,"last":n,"head":hex}
    {"seq":n,"body":"…","digest":hex,"hash":hex}                 body null where it was thinned
    {"seal":{"seq":n,"salt":hex,"pseudonym":hex}}                right after its entry
    {"signature":{"last_seq":n,"sig":base64}}                    after the entry that it is over

``body`` is the stored text as a JSON string, verbatim: its SHA-256 is the digest. The last entry is
signed always, so one signature proves them all.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.errors import OperatorError
from kiosk.ledger import rows
from kiosk.ledger.reading import reading

FORMAT = 1


def export(path: Path) -> Iterator[str]:
    """The lines, without line feeds. Raises OperatorError, StorageError."""
    with reading(path) as db:
        last, head = rows.head(db)
        first = next(rows.read(db, 0, 1), None)
        try:
            genesis = parse_canonical((first and first.body) or b"")
            named = {key: genesis[key] for key in ("ledger", "station", "city", "key")}
        except (NotCanonical, KeyError, TypeError):
            raise OperatorError(
                "no_genesis",
                "The ledger does not begin with a genesis.",
                "Look at it with kiosk ledger verify.",
            ) from None
        yield _line({"kiosk_export": FORMAT, **named, "last": last, "head": head.hex()})
        for row in rows.read(db, 0, -1):
            body = None if row.body is None else row.body.decode(errors="replace")
            yield _line(
                {
                    "seq": row.seq,
                    "body": body,
                    "digest": row.digest.hex(),
                    "hash": row.hash.hex(),
                }
            )
            for salt, pseudonym in db.execute(
                "SELECT hex(salt), hex(pseudonym) FROM seal WHERE seq = ?", (row.seq,)
            ):
                opened = {"seq": row.seq, "salt": salt.lower(), "pseudonym": pseudonym.lower()}
                yield _line({"seal": opened})
            for (sig,) in db.execute("SELECT sig FROM batch_sig WHERE last_seq = ?", (row.seq,)):
                yield _line({"signature": {"last_seq": row.seq, "sig": b64encode(sig).decode()}})


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
