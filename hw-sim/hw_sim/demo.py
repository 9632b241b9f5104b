"""``hw-sim demo``: a whole station with its city and its people on one machine, then the accounts.

Theory of operation. Five processes are kept alive below one folder (``docs/demo.md``): broker, receiver,
station, uplink, and the world, which alone is never killed. At ``DEMO_S`` the people are asked to
finish; when they have, the run waits until the city has signed for the station's head, ends everything
and reads the books. Everything after ``DEMO_S`` together is bounded by ``TAIL_S``.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random

import msgspec

from hw_sim import demo_site, kills, telling, terminal
from hw_sim.accounting import (
    Finding,
    Outcome,
    account,
    pace_findings,
    read_city,
    read_station,
    read_truth,
)
from hw_sim.bench import station_environment
from hw_sim.demo_site import CITY, STATION, DemoError, Site
from hw_sim.kept import kept_findings, read_drops
from hw_sim.scenario import DIVISION_G, Scenario
from hw_sim.supervisor import Child, Keeper
from hw_sim.wishes import Wishes
from hw_sim.world import Places
from kiosk.control.client import ControlClient, StationError
from kiosk.core.errors import OperatorError
from sync.ending import Ending
from sync.signing import Signer

TAIL_S = 55.0
"""People finishing and draining together, after ``DEMO_S``; the contract allows 60."""
BEGIN_S = 15.0
"""So long the world may take to lay out its wires."""
LOOK_S = 0.2
COMMAND_S = 60.0
BUSY_WAIT_S = 4.0
BUSY_SPREAD_S = 2.5
"""Half of the kills wait for a drop and fall at random within its settling."""
VICTIM_WAIT_S = 3.0

BIN = Path(sys.executable).parent


def run(wishes: Wishes) -> int:
    """The whole run: 0 accounted for, 1 not, 130 broken off. DemoError when it cannot start."""
    with ExitStack() as held:
        held.enter_context(terminal.for_us_alone())
        return _Demo(wishes, held).run()


class _Demo:
    """One run."""

    def __init__(self, wishes: Wishes, held: ExitStack) -> None:
        self._wishes = wishes
        self._held = held
        self._rng = Random(wishes.seed)
        self._site = Site(wishes.folder.resolve())
        self._keepers: dict[str, Keeper] = {}
        self._killed: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._findings: list[Finding] = []
        self._served_s = 0.0
        self._ending = Ending()
        self._up = threading.Event()
        self._quiet = threading.Event()
        self._dropped = threading.Event()

    def run(self) -> int:
        begun_s = time.monotonic()
        self._ending.heed()
        scenario = self._prepare()
        self._held.callback(self._stop)
        self._start()
        self._say(f"the residents' screen: http://127.0.0.1:{scenario.screen_port}/")
        self._go_on(begun_s)
        self._wind_up(time.monotonic() + TAIL_S)
        self._stop()
        if self._ending.insisted:
            self._say("broken off: nothing was accounted for")
            return 130
        return self._report(scenario)

    # -- beginning ------------------------------------------------------------------------------

    def _prepare(self) -> Scenario:
        """Everything in the folder, or a DemoError that says why not."""
        folder = self._site.folder
        try:
            return self._laid_out()
        except OSError as error:
            words = f"{folder} cannot be used ({error.strerror}). Name another one in DEMO_DIR."
            raise DemoError(words) from error
        except (OperatorError, ValueError, IndexError, msgspec.MsgspecError) as error:
            if not self._wishes.keep:
                raise
            words = f"No run can go on from what is in {folder} ({error}). Leave DEMO_KEEP out."
            raise DemoError(words) from error

    def _laid_out(self) -> Scenario:
        """The folder and all that stands in it, for us alone."""
        site, wishes = self._site, self._wishes
        if shutil.which("mosquitto", path=demo_site.PATH) is None:
            raise DemoError("There is no mosquitto here. Install it: sudo apt install mosquitto")
        self._held.enter_context(demo_site.claim(site))
        demo_site.demand_port(wishes.port)
        demo_site.clear(site, keep=wishes.keep)
        station_key = demo_site.make_keys(site)
        city_file = site.city / "city.key"
        city = Signer.load(city_file) if city_file.exists() else Signer.generate(city_file)
        scenario = demo_site.make_scenario(
            site, screen_port=wishes.port, seed=wishes.seed, speed=wishes.speed
        )
        self._mqtt_port = demo_site.free_port()
        demo_site.write_broker(site, self._mqtt_port)
        demo_site.write_settings(site, scenario, city.public_key, self._mqtt_port)
        added = _command(
            *("kiosk-receiver", "station", "add", STATION, "--city", CITY),
            *("--key", station_key.hex(), "--database", self._database),
        )
        if added.returncode != 0:
            raise DemoError(f"The city does not take the station's key: {added.stderr.strip()}")
        return scenario

    @property
    def _database(self) -> str:
        return f"sqlite:///{self._site.city_db}"

    def _start(self) -> None:
        """Broker and receiver, the world, then what talks to them."""
        site = self._site
        bench = Places(site.folder).bench
        watch = telling.CityWatch(site.city_db, self._say)
        self._held.callback(watch.stop)
        broker = shutil.which("mosquitto", path=demo_site.PATH) or "mosquitto"
        config = ("--config", str(site.settings))
        self._keep(Child("broker", (broker, "-c", str(site.broker_conf))))
        self._keep(
            Child(
                "receiver",
                (
                    *(str(BIN / "kiosk-receiver"), "run", "--database", self._database),
                    *("--broker", f"mqtt://127.0.0.1:{self._mqtt_port}"),
                    *("--key", str(site.city / "city.key")),
                ),
            )
        )
        self._keep(
            Child(
                "world",
                (
                    *(str(BIN / "hw-sim"), "world", str(site.scenario)),
                    *("--folder", str(site.folder)),
                ),
                restarts=False,
                output=self._world_says,
            )
        )
        self._while(lambda: not self._up.is_set(), time.monotonic() + BEGIN_S)
        environment = station_environment(bench)
        self._keep(Child("station", (str(BIN / "kiosk"), "run", *config), environment=environment))
        self._keep(Child("uplink", (str(BIN / "kiosk"), "uplink", *config)))

    def _keep(self, child: Child) -> None:
        keeper = Keeper(child, self._site.folder, self._child_news)
        self._keepers[child.name] = keeper
        keeper.start()

    # -- the run --------------------------------------------------------------------------------

    def _go_on(self, begun_s: float) -> None:
        """Until DEMO_S, Ctrl-C or a failure, with the kills that are due."""
        wishes = self._wishes
        end_s = None if wishes.seconds is None else begun_s + wishes.seconds
        for kill in kills.plan(wishes.kills, wishes.seconds, self._rng):
            if not self._wait_until(begun_s + kill.at_s, end_s):
                return
            self._kill(kill.victim)
        self._wait_until(None, end_s)

    def _wait_until(self, until_s: float | None, end_s: float | None) -> bool:
        """Whether the run still goes on then."""
        while not self._ending.asked:
            time.sleep(LOOK_S)
            now_s = time.monotonic()
            if self._failure() or (end_s is not None and now_s >= end_s):
                return False
            if until_s is not None and now_s >= until_s:
                return True
        return False

    def _kill(self, victim: str) -> None:
        """-9, every other time while something has just fallen."""
        if self._rng.random() < 0.5:
            self._dropped.clear()
            if self._dropped.wait(BUSY_WAIT_S):
                time.sleep(self._rng.uniform(0.0, BUSY_SPREAD_S))
        limit_s = time.monotonic() + VICTIM_WAIT_S
        while time.monotonic() < limit_s:
            if self._keepers[victim].send(signal.SIGKILL):
                self._killed[victim] += 1
                self._say(f"*** kill -9 {victim}")
                return
            time.sleep(LOOK_S)

    def _wind_up(self, limit_s: float) -> None:
        """People finish, then the city gets the rest."""
        if self._ending.insisted or self._failure():
            return
        self._say("the residents finish")
        self._keepers["world"].send(signal.SIGUSR1)
        self._while(lambda: not self._quiet.is_set(), limit_s)
        self._say("draining")
        drained = self._while(lambda: not self._drained(), limit_s)
        if not drained and not self._ending.insisted:
            words = f"The city did not have the station's head {TAIL_S:.0f} s after the end."
            self._findings.append(Finding("not_drained", words))

    def _while(self, waiting: Callable[[], bool], limit_s: float) -> bool:
        """Whether the waiting came to its end in time."""
        while waiting():
            if time.monotonic() >= limit_s or self._failure() or self._ending.insisted:
                return False
            time.sleep(LOOK_S)
        return True

    def _drained(self) -> bool:
        """The city has signed for the station's head: the station itself says so."""
        try:
            with ControlClient(self._site.socket, timeout_s=2) as client:
                hello = client.call("hello")
        except (OperatorError, StationError):
            return False  # killed just now
        return bool(hello["head_seq"] == hello["watermark"])

    def _failure(self) -> str | None:
        return next((k.failure for k in self._keepers.values() if k.failure), None)

    def _stop(self) -> None:
        """Everything, the station first; idempotent."""
        for name in ("station", "uplink", "receiver", "broker", "world"):
            if name in self._keepers:
                self._keepers[name].stop()

    # -- what is heard --------------------------------------------------------------------------

    def _world_says(self, line: str) -> None:
        event = msgspec.json.decode(line.encode(), type=dict)
        match event["what"]:
            case "up":
                self._up.set()
            case "leaves" if event["served"]:
                self._counts["nameless" if event["card"] is None else "visit"] += 1
            case "drop":
                self._dropped.set()
            case "quiet":
                self._served_s = event["served_s"]
                self._quiet.set()
            case "wrongly_greeted":
                words = f"{event['card']} was greeted although the card is no good."
                self._findings.append(Finding("wrongly_greeted", words))
        if event["what"] in ("taken_out", "knock", "swap"):
            self._counts[event["what"]] += 1
        told = telling.of_world(event)
        if told is not None:
            self._say(told)

    def _child_news(self, name: str, what: str) -> None:
        self._say(f"--- {name} {what}")

    def _say(self, line: str) -> None:
        terminal.say(telling.stamped(line))

    # -- the accounts ---------------------------------------------------------------------------

    def _report(self, scenario: Scenario) -> int:
        failure = self._failure()
        if failure is not None:
            self._findings.append(Finding("process", failure))
        try:
            outcome, findings = self._accounts(scenario)
        except (OSError, sqlite3.Error) as error:  # a process ended the run before there were any
            outcome, findings = Outcome(), [Finding("books", f"They cannot be read: {error}.")]
        findings = self._findings + findings
        findings += pace_findings(self._counts, self._served_s)
        findings += self._verified(
            "ledger_verify", "kiosk", "ledger", "verify", "--config", str(self._site.settings)
        )
        findings += self._verified(
            "city_verify", "kiosk-receiver", "verify", "--database", self._database
        )
        self._summarise(outcome, findings)
        return 1 if findings else 0

    def _accounts(self, scenario: Scenario) -> tuple[Outcome, list[Finding]]:
        """What station and city have written, against what the world did."""
        site = self._site
        station = read_station(site.ledger)
        cards: dict[str, str | None] = json.loads(site.cards.read_text())
        divisions_g = {rig.id: DIVISION_G for rig in scenario.bins if rig.scale != "none"}
        truth = read_truth(site.truth)
        outcome = account(station, read_city(site.city_db), truth, cards, divisions_g)
        kept = kept_findings(station, read_drops(site.truth), cards, divisions_g)
        return outcome, outcome.findings + kept

    def _verified(self, code: str, *command: str) -> list[Finding]:
        done = _command(*command)
        if done.returncode == 0:
            return []
        said = (done.stdout + done.stderr).strip().splitlines()
        return [Finding(code, f"{' '.join(command[:3])}: {' / '.join(said[-3:])}")]

    def _summarise(self, outcome: Outcome, findings: list[Finding]) -> None:
        counts, kinds = self._counts, outcome.kinds
        lines = [
            "",
            f"people     {counts['visit']} visits, {counts['nameless']} without a card, "
            f"{counts['taken_out']} × taken out, {counts['knock']} knocks, "
            f"{counts['swap']} bag changes in {self._served_s:.0f} s of visits",
            f"ledger     {sum(kinds.values())} entries: "
            + ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds)),
        ]
        if self._killed:
            each = (f"{name} {times}" for name, times in sorted(self._killed.items()))
            lines.append(f"kills      {', '.join(each)}")
        for name, one in sorted(outcome.bins.items()):
            lines.append(
                f"{name:<10} written {one.written_g} g, truly {one.true_g} g ({one.off_g:+} g)"
            )
        for name, (dropped, counted) in sorted(outcome.unscaled.items()):
            lines.append(f"{name:<10} without a scale: {dropped} dropped, {counted} counted")
        dropped_g = sum(person.dropped_g for person in outcome.people.values())
        credited_g = sum(person.credited_g for person in outcome.people.values())
        lines.append(f"cards      dropped {dropped_g} g, credited {credited_g} g")
        if findings:
            lines += [f"NOT ACCOUNTED FOR  {one.code}: {one.words}" for one in findings]
        else:
            lines.append("everything is accounted for")
        terminal.say("\n".join(lines))


def _command(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One of our own commands, beside this interpreter."""
    return subprocess.run(
        [str(BIN / name), *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
