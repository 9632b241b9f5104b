"""To an NGSI-LD context broker: batches of entities by ``entityOperations/upsert``.

Ids are stable, so the same batch twice is the same once. What the broker says of the request is sorted:
2xx taken; 207 names the entities that it refused; 400, 413 and 422 are about the body, which is halved
until the entity that does it stands alone and is set aside; everything else is ``Away``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sync.receiver.fiware.entities import Entity, entities
from sync.receiver.fiware.http import Answer, Client
from sync.receiver.fiware.settings import Settings
from sync.receiver.sinks import Aside, Away, Batch

ENTITIES_AT_ONCE = 100
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
_ABOUT_THE_BODY = {400, 413, 422}
_WORDS_CHARS = 300


@dataclass(frozen=True, slots=True)
class _Sent:
    subject: str
    ledger: str
    body: bytes


class BrokerSink:
    """One broker. ``name`` is the sink's place in the database."""

    def __init__(self, name: str, client: Client, settings: Settings) -> None:
        self._name = name
        self._client = client
        self._settings = settings
        self._context = context(settings)
        self._path = "/ngsi-ld/v1/entityOperations/upsert"
        if settings.mode == "update":
            self._path += "?options=update"

    @property
    def name(self) -> str:
        return self._name

    def deliver(self, batch: Batch) -> list[Aside]:
        """Every entity of the batch; what the broker will not have comes back."""
        made = [
            _Sent(subject, ledger, self._encoded(entity))
            for subject, (ledger, entity) in entities(batch, self._settings).items()
        ]
        aside: list[Aside] = []
        for start in range(0, len(made), ENTITIES_AT_ONCE):
            aside += self._upsert(made[start : start + ENTITIES_AT_ONCE])
        return aside

    def close(self) -> None:
        self._client.close()

    def _encoded(self, entity: Entity) -> bytes:
        whole = entity | {"@context": self._context}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()

    def _upsert(self, some: Sequence[_Sent]) -> list[Aside]:
        body = b"[" + b",".join(one.body for one in some) + b"]"
        answer = self._client.post(self._path, body, "application/ld+json")
        if answer.status == 207:
            return self._refused(some, answer)
        if 200 <= answer.status < 300:
            return []
        if answer.status not in _ABOUT_THE_BODY:
            raise Away(
                "not_a_broker",
                f"{self._client.place} does not know this request ({answer.status}):"
                f" {words(answer.body)}.",
                "Name an NGSI-LD context broker with --to, and its tenant in the settings.",
            )
        if len(some) == 1:
            return [_aside(some[0], f"http_{answer.status}", words(answer.body))]
        half = len(some) // 2
        return self._upsert(some[:half]) + self._upsert(some[half:])

    def _refused(self, some: Sequence[_Sent], answer: Answer) -> list[Aside]:
        """BatchOperationResult: the entities that it names, in its own words."""
        sent = {one.subject: one for one in some}
        aside = []
        for subject, status, why in refused(answer.body):
            if status is not None and (status >= 500 or status == 429):
                raise Away(
                    "platform_failing",
                    f"{self._client.place} could not store all of it ({status}): {why}.",
                    "It is tried again by itself; look at the platform if it stays.",
                )
            if subject in sent:
                aside.append(_aside(sent[subject], f"http_{status or 207}", why))
        return aside


def context(settings: Settings) -> list[Any]:
    """Where the platform can fetch none, every term travels with the entity."""
    if settings.context is not None:
        return [settings.context, CORE]
    own = files("sync.receiver.fiware").joinpath("context.jsonld").read_text(encoding="utf-8")
    return [json.loads(own)["@context"], CORE]


def refused(body: bytes) -> list[tuple[str, int | None, str]]:
    """Of a 207: (entity's id, status, words) of each that was not taken. Away when it cannot be read."""
    try:
        errors = json.loads(body)["errors"]
        return [(str(one["entityId"]), _status(one), _problem(one)) for one in errors]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Away(
            "answer_torn",
            "The broker's answer does not say what it refused.",
            "It is tried again by itself.",
        ) from error


def _status(one: Any) -> int | None:
    status = one["error"].get("status") if isinstance(one.get("error"), dict) else None
    return status if isinstance(status, int) else None


def _problem(one: Any) -> str:
    return words(json.dumps(one.get("error"), ensure_ascii=False).encode())


def _aside(one: _Sent, code: str, why: str) -> Aside:
    return Aside(one.subject, one.ledger, code, why, one.body)


def words(body: bytes) -> str:
    """What an answer says, bounded and printable."""
    text = "".join(c for c in body.decode(errors="replace") if c.isprintable())
    return text[:_WORDS_CHARS] or "no reason was given"
