"""Where the answers come from: the running station, and the files when it does not run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

from kiosk.cli.call import Call
from kiosk.cli.enter import on_enter
from kiosk.control.client import ControlClient
from kiosk.core.errors import KioskError, OperatorError
from kiosk.doctor import CODES, Finding, examine
from kiosk.doctor.finding import Level, Values
from kiosk.facts import Facts, from_dict
from kiosk.settings import CountsScale, Settings
from kiosk.status import report
from kiosk.tomlfile.problem import short

ANSWER_S = 10.0
"""A station that is well answers within milliseconds."""


def ask(settings: Settings, op: str, **args: Any) -> dict[str, Any]:
    """The running station's answer; OperatorError ``station_unreachable`` where none runs."""
    with ControlClient(settings.paths.socket, timeout_s=ANSWER_S) as client:
        return client.call(op, **args)


def running(settings: Settings) -> Facts | None:
    """The running station's facts, None where none runs."""
    try:
        return from_dict(ask(settings, "facts"))
    except OperatorError as error:
        if error.code == "station_unreachable":
            return None
        raise


def status(settings: Settings) -> dict[str, Any]:
    """One page: of the running station, or of the files."""
    facts = running(settings)
    if facts is not None:
        return report(facts)
    return {
        "running": False,
        "station": settings.station.id,
        "city": settings.station.city,
        "name": settings.station.name,
        "settings": settings.digest(),
        **at_rest(settings),
        "public_key": public_key(settings),
        # Devices are looked at only by the station itself.
        "lost": None,
    }


def at_rest(settings: Settings) -> dict[str, Any]:
    """The books in the files; all None where there is no ledger yet, or (``busy``) a station that is only
    just starting has it, or another command."""
    from kiosk.offline import books

    busy = False
    try:
        found = books(settings)
    except OperatorError as error:
        if error.code != "already_running":
            raise
        found, busy = None, True
    names = ("head_seq", "watermark", "epoch", "queue")
    return {"busy": busy} | {
        name: None if found is None else getattr(found, name) for name in names
    }


def public_key(settings: Settings) -> str | None:
    """What the city knows the station by (hex); None where this user may not say, or nobody can."""
    from sync.signing import Signer

    try:
        return Signer.load(settings.paths.station_key).public_key.hex()
    except OperatorError:
        # What is wrong with the file is the doctor's to say.
        return None


def sync_status(settings: Settings) -> dict[str, Any]:
    """How far the city is."""
    facts = running(settings)
    if facts is None:
        return {"running": False, **at_rest(settings), "link": None, "last_ack_age_ms": None}
    found = report(facts)
    names = ("head_seq", "watermark", "epoch", "queue", "link", "uplink_wanted", "last_ack_age_ms")
    return {"running": True, **{name: found[name] for name in names}}


def scales(settings: Settings) -> list[dict[str, Any]]:
    """Every bin with what the settings say of its scale, and what it shows where one runs."""
    facts = running(settings)
    live = {one["bin"]: one for one in report(facts)["bins"]} if facts else {}
    return [
        {
            "bin": one.id,
            "item": one.item,
            "kind": scale_kind(one.scale),
            "max_g": one.scale and one.scale.max_g,
            "division_g": one.scale and one.scale.division_g,
            "state": live.get(one.id, {}).get("state"),
            "live_g": live.get(one.id, {}).get("live_g"),
            "samples_per_s": live.get(one.id, {}).get("samples_per_s"),
            "rejected": live.get(one.id, {}).get("rejected"),
        }
        for one in settings.bins
    ]


def scale_kind(scale: object) -> str | None:
    if scale is None:
        return None
    return "hx711" if isinstance(scale, CountsScale) else "indicator"


def touch(settings: Settings, action: str, bin_id: str) -> dict[str, Any]:
    """Answers for a caretaker what the screen would ask, and gives the entries written for it, none
    where nothing was to be done; OperatorError for no such bin."""
    check_bin(settings, bin_id)
    answer = ask(settings, "touch", action=action, bin=bin_id)
    return {"action": action, "bin": bin_id, "written": answer["written"]}


def check_bin(settings: Settings, bin_id: str) -> None:
    """OperatorError ``no_such_bin`` where the settings have none of this name."""
    bins = [one.id for one in settings.bins]
    if bin_id not in bins:
        raise OperatorError(
            "no_such_bin",
            f"There is no bin {short(bin_id)}.",
            f"The bins are: {', '.join(bins)}.",
            bin=short(bin_id),
            names=", ".join(bins),
        )


def watch(settings: Settings, *, until_enter: bool) -> Iterator[dict[str, Any]]:
    """What the screen shows, as it changes, until the station ends or, if wished, until Enter."""
    with ControlClient(settings.paths.socket) as client, ExitStack() as held:
        if until_enter:
            held.enter_context(on_enter(client.end))
        try:
            for view in client.stream("watch"):
                yield view
                if client.ended:
                    return
        except OperatorError:
            if not client.ended:
                raise


def doctor(call: Call) -> list[Finding]:
    """Every check, worst settings first: without settings nothing else can be looked at."""
    from kiosk.doctor import ground
    from kiosk.tomlfile import FileProblem

    try:
        settings = call.settings
    except FileProblem as error:
        what, todo = call.words.error(error)
        values: Values = {"what": what, "todo": todo}
        return [
            Finding(code="settings", level="ERR", case="wrong", cause=error.code, values=values)
        ]
    found = [*ground.settings(settings), *ground.keys(settings), town_file(call, settings)]
    try:
        facts = running(settings)
    except OperatorError as error:
        if error.code != "station_silent":
            raise
        # Nothing more can be known: it holds its files.
        found.append(Finding(code="station", level="ERR", case="silent"))
        return sorted(found, key=lambda one: CODES.index(one.code))
    known = facts is None or facts.clock == "synced"
    found += ground.seals(settings, date.today(), clock_known=known)
    found += at_rest_findings(settings) if facts is None else examine(facts)
    if facts is not None and facts.settings != settings.digest():
        found.append(Finding(code="settings", level="WARN", case="changed"))
    return sorted(found, key=lambda one: CODES.index(one.code))


def town_file(call: Call, settings: Settings) -> Finding:
    """What people wrote for the screen, as it lies there now; a running station shows the last good one."""
    from kiosk import catalogue
    from kiosk.noticeboard.file import problems, signature
    from kiosk.screen.texts.town import spoken

    if signature(settings.paths.town) is None:
        return Finding(code="town_file", level="OK", case="none")
    items, languages = catalogue.load(settings.paths.catalogue), spoken(settings.paths.texts).codes
    wrong = problems(settings.paths.town, items, languages=languages)
    if not wrong:
        return Finding(code="town_file", level="OK", case="ok")
    what, todo = call.words.error(wrong[0])
    values: Values = {"what": what, "todo": todo}
    return Finding(code="town_file", level="WARN", case="wrong", cause=wrong[0].code, values=values)


def at_rest_findings(settings: Settings) -> Iterator[Finding]:
    """A station that does not run, its disk, and the books in its files."""
    from kiosk.doctor import ground
    from kiosk.doctor.station import core_dumps, disk, storage_cause, watermark
    from kiosk.offline import books, owns

    busy, found = False, None
    trouble: KioskError | None = None
    try:
        found = books(settings)
    except KioskError as error:
        busy, trouble = error.code == "already_running", error
    if busy:
        yield Finding(code="station", level="WARN", case="busy")
    else:
        yield Finding(code="station", level="ERR", case="not_running")
    free_bytes = ground.free_bytes(settings)
    yield disk(free_bytes)
    yield core_dumps(allowed=ground.may_dump_core())
    if busy:
        return
    if trouble is not None:
        if trouble.code == "no_rights":
            # Ordinary for most users, as with the keys; the station's own could not even start.
            level: Level = "ERR" if owns(settings.paths.data) else "WARN"
            case = "shut" if level == "ERR" else "not_mine"
            yield Finding(code="ledger", level=level, case=case, subject=str(settings.paths.data))
            return
        cause = storage_cause(trouble.code, free_bytes)
        yield Finding(code="ledger", level="ERR", case="trouble", cause=cause)
        return
    if found is None and settings.paths.ack.exists():
        yield Finding(code="ledger", level="ERR", case="gone")
    elif found is None:
        yield Finding(code="ledger", level="WARN", case="none")
    elif not found.tail_good:
        yield Finding(code="ledger", level="ERR", case="broken")
    else:
        yield Finding(code="ledger", level="OK", case="ok", values={"head": found.head_seq})
    if found is not None:
        yield watermark(found.queue, found.watermark)
