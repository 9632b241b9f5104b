"""What a checker of ledgers says: what is wrong, and what it could not check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Code = Literal[
    "unreadable",  # SQLite cannot read the file, or a part of it
    "ledger_gone",  # there is none, and the city has signed for one
    "no_genesis",  # nothing, or something else, stands at seq 1
    "second_genesis",
    "entry_missing",
    "body_changed",  # a body is not the one of its digest
    "not_canonical",  # a body's text is not the canonical one of an entry
    "incomplete",  # a body lacks what every entry, or its kind, has
    "seq_differs",  # a body stands in another's place
    "chain_broken",  # a hash does not follow from the one before it
    "books_broken",  # grams were lost or invented between two entries of a bin
    "visit_twice",  # a visit's identifier is used for a second one
    "after_close",  # an entry of a visit follows its visit_close
    "thinned",  # a body is gone, and no snapshot stands for it
    "thinned_kept_kind",  # a body is gone of a kind that always stays
    "snapshot_differs",  # a snapshot's data is not what its entry says
    "key_differs",  # the ledger was begun under another key than the station's
    "signature_bad",
    "head_unsigned",  # the last entry has no signature: the tail was cut or added
    "tail_cut",  # the station signed more than there is
    "seal_differs",  # a seal's row does not open the seal of its entry
    "ack_malformed",
    "ack_bad_signature",
    "ack_other_ledger",
    "ack_beyond_head",  # the city has signed more than there is
    "ack_head_differs",  # the city has signed another history
]

Gap = Literal[
    "no_ack",  # no word of the city: a cut tail, or a history written anew with the station's key
    "no_city_key",  # an acknowledgement is there, and nothing to check its signature with
    "no_station_key",  # the genesis' own key is believed
    "ack_older",  # the acknowledgement that was named is older than the one in the folder
    "thinned",  # what stood in entries whose text is gone
    "cut_short",  # whatever comes after an unreadable page, or after too many findings
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``seq`` where it is, None for the ledger as a whole.

    ``case`` tells kinds of one code apart for its words, ``values`` are what the words name.
    """

    code: Code
    seq: int | None = None
    case: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unchecked:
    """One thing that could not be checked, and why."""

    code: Gap
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, in the ledger's order; and what nobody could have found."""

    findings: tuple[Finding, ...]
    unchecked: tuple[Unchecked, ...] = ()
