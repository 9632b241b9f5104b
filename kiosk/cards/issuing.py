"""New cards: random ids from the system, tokens and recovery codes, and the batch file that holds them.

A batch is as good as the cards: whoever has it has them. It is written for its owner alone (mode 0600), is
needed until it is printed, and then shredded. Nothing of a card is kept anywhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.cards.keys import numbered_keys, pseudonym_keys
from kiosk.core.cards import recovery, signed, token
from kiosk.core.cards.token import RANDOM_BYTES, CardBody
from kiosk.core.days import day_number
from kiosk.core.errors import OperatorError, StorageError
from sync.signing import Signer, write_durably

if TYPE_CHECKING:
    from kiosk.settings import Paths

MAX_CARDS = 2_000
MAX_BATCH_BYTES = 1 << 20
OWNER_ALONE = 0o600
LAST_POSSIBLE = date(2199, 6, 6)
"""What the two bytes of a card's last day reach to."""

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Issuer:
    """What makes cards: ``token`` the text of one, ``recovery_key`` the key of its recovery code."""

    key_id: int
    token: Callable[[CardBody], bytes] = field(repr=False)
    recovery_key: bytes = field(repr=False)


def issuer(paths: Paths, key_id: int | None, sign_key: Path | None) -> Issuer:
    """Tagged cards with a key of ``card.key`` (the one with the highest id where ``key_id`` is None), or
    signed ones with the town's private key. Raises OperatorError, DeviceError for missing keys."""
    if sign_key is not None:
        signer = Signer.load(sign_key)
        pseudonym_key, _ = pseudonym_keys(paths.pseudonym_key)
        return Issuer(
            1 if key_id is None else key_id,
            lambda body: signed.issue(body, signer.sign),
            pseudonym_key,
        )
    keys = numbered_keys(paths.card_key)
    number = max(keys) if key_id is None else key_id
    if number not in keys:
        known = ", ".join(str(one) for one in sorted(keys))
        raise OperatorError(
            "no_such_key_id",
            f"There is no card key {number}.",
            f"The key file has: {known}.",
            asked=number,
            names=known,
        )
    key = keys[number]
    return Issuer(number, lambda body: token.issue(body, key), key)


class BatchCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One card. ``number`` counts cards, or households and their cards (``3-2``)."""

    number: Annotated[str, Meta(pattern=r"\A[0-9]{1,4}(-[0-9]{1,2})?\Z")]
    token: Annotated[str, Meta(min_length=1, max_length=400, pattern=r"\A[0-9A-Z $%*+./:-]+\Z")]
    recovery: Annotated[str, Meta(pattern=r"\A[0-9A-HJKMNP-TV-Z]{25}\Z")]
    last_day: date
    spare: bool


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch file."""

    format: Literal["kiosk-cards-v1"]
    cards: Annotated[tuple[BatchCard, ...], Meta(min_length=1, max_length=MAX_CARDS)]


def issue(
    issuer: Issuer,
    last_day: date,
    *,
    accounts: int,
    members: int = 1,
    spare: bool = False,
    random: RandomBytes = os.urandom,
) -> Batch:
    """``accounts`` accounts with ``members`` cards each; more than one member makes households."""
    if accounts * members > MAX_CARDS:
        raise OperatorError(
            "too_many_cards",
            f"{accounts * members} cards are more than one batch holds ({MAX_CARDS}).",
            "Make several batches.",
            asked=accounts * members,
            most=MAX_CARDS,
        )
    cards, days = [], day_number(last_day)
    for account in range(1, accounts + 1):
        shared = random(RANDOM_BYTES)
        for member in range(1, members + 1):
            household = members > 1
            random_id = shared[:-1] + bytes((member,)) if household else shared
            body = CardBody(issuer.key_id, days, random_id, spare, household)
            code = recovery.code(random_id, issuer.recovery_key, household=household)
            cards.append(
                BatchCard(
                    number=f"{account}-{member}" if household else str(account),
                    token=issuer.token(body).decode("ascii"),
                    recovery=code,
                    last_day=last_day,
                    spare=spare,
                )
            )
    return Batch("kiosk-cards-v1", tuple(cards))


def to_bytes(batch: Batch) -> bytes:
    return msgspec.json.format(msgspec.json.encode(batch), indent=1) + b"\n"


def read(path: Path) -> Batch:
    """A batch file; OperatorError for anything else, without a word of what stands in it."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BATCH_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            "cards_unreadable",
            f"{path} cannot be read ({error.strerror}).",
            "Name the file that kiosk card issue has made.",
            file=path,
            reason=error.strerror,
        ) from error
    try:
        if len(data) > MAX_BATCH_BYTES:
            raise msgspec.ValidationError("too large")
        return msgspec.json.decode(data, type=Batch)
    except msgspec.MsgspecError:
        raise OperatorError(
            "no_batch",
            f"{path} is no batch of cards.",
            "Name the file that kiosk card issue has made.",
            file=path,
        ) from None


def refuse_taken(path: Path) -> None:
    """OperatorError where the name is taken."""
    if path.exists():
        raise OperatorError(
            "file_exists",
            f"{path} is there already.",
            "Choose another name: what stands there may be cards that are needed.",
            file=path,
        )


def write_new(path: Path, data: bytes) -> None:
    """A file for its owner alone, whole or not at all; OperatorError where the name is taken."""
    refuse_taken(path)
    try:
        write_durably(path, data, mode=OWNER_ALONE)
    except OSError as error:
        raise StorageError(
            "cannot_write",
            f"{path} cannot be written ({error.strerror}).",
            "Choose a folder that is there and has room.",
            file=path,
            reason=error.strerror,
        ) from error
