"""What became of the city's answer, in words."""

from __future__ import annotations

from kiosk.carried import TakenIn
from kiosk.cli.call import Call
from kiosk.cli.sentences import cause


def taken_in(call: Call, found: TakenIn) -> None:
    """A line for how far the city is, one a list or other word, and what to do with the stick."""
    if found.watermark == found.watermark_before:
        call.say("carried.same", watermark=found.watermark)
    else:
        call.say("carried.moved", before=found.watermark_before, watermark=found.watermark)
    refused = {one["topic"]: one["reason"] for one in found.refused}
    for how, topics in (("taken", found.taken), ("known", found.known), ("later", found.later)):
        for topic in _subjects(topics):
            if topic != "ack":
                call.say(f"carried.{how}", what=_name(call, topic))
    for topic in _subjects(refused):
        why = next(reason for name, reason in refused.items() if _subject(name) == topic)
        call.say("carried.refused", what=_name(call, topic), why=_why(call, topic, why))
    if found.error is not None:
        call.say("carried.city_error", why=cause(call.words, found.error))
    call.say("carried.done" if found.good else "carried.ask")


def _subjects(topics: object) -> list[str]:
    assert isinstance(topics, list | dict)
    return sorted({_subject(topic) for topic in topics})


def _subject(topic: str) -> str:
    """A list with its parts is one thing."""
    return topic.strip("/").split("/")[0]


def _name(call: Call, subject: str) -> str:
    return (
        call.words.get(f"cardlist.{subject}")
        or call.words.get(f"carried_word.{subject}")
        or subject
    )


def _why(call: Call, subject: str, reason: str) -> str:
    return cause(call.words, f"ack_{reason}" if subject == "ack" else reason)
