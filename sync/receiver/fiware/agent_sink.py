"""To an IoT Agent JSON over HTTP: ``POST /iot/json?k=APIKEY&i=DEVICE``, an array of measures.

The agent keeps no ids: a batch that comes twice is measured twice there. ``changeId`` is in each measure
for whoever counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from sync.receiver.fiware.broker_sink import words
from sync.receiver.fiware.http import Client
from sync.receiver.fiware.measures import Measure, by_device
from sync.receiver.fiware.settings import Settings, require_apikey
from sync.receiver.sinks import Aside, Away, Batch, Change

MEASURES_AT_ONCE = 100
"""The agent takes 100 kB; a measure is some 400 bytes."""
_ABOUT_THE_BODY = {400, 404, 413, 422}
"""404: this device is not provisioned, which says nothing of the others."""


class AgentSink:
    """One IoT Agent, by HTTP."""

    def __init__(self, name: str, client: Client, settings: Settings) -> None:
        self._name = name
        self._client = client
        self._apikey = require_apikey(settings)

    @property
    def name(self) -> str:
        return self._name

    def deliver(self, batch: Batch) -> list[Aside]:
        """Every device's measures; what the agent will not have comes back."""
        aside: list[Aside] = []
        for device, made in by_device(batch.changes).items():
            for start in range(0, len(made), MEASURES_AT_ONCE):
                aside += self._send(device, made[start : start + MEASURES_AT_ONCE])
        return aside

    def close(self) -> None:
        self._client.close()

    def _send(self, device: str, some: Sequence[tuple[Change, Measure]]) -> list[Aside]:
        body = encoded([made for _, made in some])
        query = f"k={quote(self._apikey)}&i={quote(device, safe='')}"
        answer = self._client.post(f"/iot/json?{query}", body, "application/json")
        if 200 <= answer.status < 300:
            return []
        if answer.status not in _ABOUT_THE_BODY:
            raise Away(
                "not_an_agent",
                f"{self._client.place} does not know this request ({answer.status}).",
                "Name the south port of an IoT Agent JSON with --to (7896 as shipped).",
            )
        if len(some) > 1 and answer.status != 404:
            half = len(some) // 2
            return self._send(device, some[:half]) + self._send(device, some[half:])
        return [
            Aside(
                f"{device} {change.id}", change.ledger, f"http_{answer.status}",
                words(answer.body), encoded([made]),
            )
            for change, made in some
        ]  # fmt: skip


def encoded(some: Sequence[Measure]) -> bytes:
    """One measure is an object, several are an array: agents before 3.7 know no array of one."""
    value = some[0] if len(some) == 1 else list(some)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
