"""``hw-sim chaos``: kill -9 at random between a ledger and the city's table, then compare them row by row.

Real are the ledger and its control socket, ``kiosk uplink``, mosquitto without persistence, two
``kiosk-receiver run`` on one shared subscription, and PostgreSQL, which is killed too now and then. Two
bad lines stand between: a mobile one before the uplink, a better one before the receivers. Every process
is back within a second of its death. At the end the lines become good, nobody dies any more, and what the
station holds must be what the city holds: nothing lost, nothing twice, nothing left over.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hw_sim import demo_site, terminal
from hw_sim.accounting import Finding
from hw_sim.chaos.books import Compared, compare
from hw_sim.chaos.plan import RECEIVERS, Kill, plan
from hw_sim.chaos.sources import BIN, LedgerOnly, Source, WholeStation
from hw_sim.demo_site import CITY, STATION, DemoError, Site
from hw_sim.link import Line, Weather
from hw_sim.postgres import NoPostgres, Postgres
from hw_sim.supervisor import Child, Keeper
from kiosk.control.client import ControlClient, StationError
from kiosk.core.errors import OperatorError
from sync.receiver.database import opened
from sync.receiver.registry import add_station
from sync.signing import Signer

MOBILE = Weather(
    bytes_per_s=400_000, latency_ms=15, jitter_ms=25, stall_each_s=6.0, stall_s=1.0,
    reset_each_s=20.0, silence_each_s=60.0,
)  # fmt: skip
CITY_SIDE = Weather(latency_ms=1, stall_each_s=30.0, stall_s=0.5, reset_each_s=60.0,
                    silence_each_s=120.0)  # fmt: skip
DARK_EACH = 60
"""One kill in so many comes with a blackout of the mobile line until the next one."""
POSTGRES_EACH = 40
"""After so many kills PostgreSQL is killed as well, beyond the number that was asked for."""
YOUNG_S = 0.15
"""A process is not killed before it has lived so long: that would be no kill at all."""
VICTIM_S = 10.0
DRAIN_S = 300.0
LOOK_S = 0.1
TELL_S = 10.0
COMMAND_S = 600.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do. ``each_s`` the mean time between two kills; ``folder`` None: a temporary one."""

    kills: int
    seed: int = 1
    each_s: float = 0.9
    postgres: bool = True
    whole: bool = False
    folder: Path | None = None


@dataclass(slots=True)
class Result:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    database_kills: int = 0
    dark: int = 0
    compared: Compared = field(default_factory=Compared)
    findings: list[Finding] = field(default_factory=list)
    took_s: float = 0.0
    drained_s: float = 0.0
    mobile: dict[str, float] = field(default_factory=dict)


def run(wish: Wish, say: Callable[[str], None] = lambda _: None) -> Result:
    """The whole of it. DemoError where it cannot start; NoPostgres where that is asked for and missing."""
    with ExitStack() as held:
        folder = wish.folder
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="kiosk-chaos-"))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
        return _Chaos(wish, Site(folder.resolve()), held, say).run()


class _Chaos:
    """One run."""

    def __init__(self, wish: Wish, site: Site, held: ExitStack, say: Callable[[str], None]) -> None:
        self._wish = wish
        self._site = site
        self._held = held
        self._say = say
        self._rng = Random(wish.seed)
        self._result = Result()
        self._keepers: dict[str, Keeper] = {}
        self._born_s: dict[str, float] = {}
        self._postgres: Postgres | None = None
        self._source: Source = (WholeStation if wish.whole else LedgerOnly)(site, wish.seed)
        self._told_s = 0.0

    def run(self) -> Result:
        begun_s = time.monotonic()
        self._prepare()
        self._start()
        self._kill_all(plan(self._wish.kills, self._wish.each_s, self._rng))
        drain_s = time.monotonic()
        self._drain()
        now_s = time.monotonic()
        self._result.drained_s, self._result.took_s = now_s - drain_s, now_s - begun_s
        self._stop()
        self._account()
        return self._result

    # --- beginning -------------------------------------------------------------------------------

    def _prepare(self) -> None:
        site = self._site
        mosquitto = shutil.which("mosquitto", path=demo_site.PATH)
        if mosquitto is None:
            raise DemoError("There is no mosquitto here. Install it: sudo apt install mosquitto")
        self._mosquitto = mosquitto
        self._held.enter_context(demo_site.claim(site))
        demo_site.clear(site, keep=False)
        key = demo_site.make_keys(site)
        city = Signer.generate(site.city / "city.key")
        self._database = f"sqlite:///{site.city_db}"
        if self._wish.postgres:
            self._postgres = Postgres()
            self._held.callback(self._postgres.close)
            self._database = self._postgres.url()
        with opened(self._database, serving=True) as engine, engine.begin() as connection:
            add_station(connection, CITY, STATION, key)
        port = demo_site.free_port()
        demo_site.write_broker(site, port)
        broker = ("127.0.0.1", port)
        self._mobile = Line(broker, MOBILE, seed=self._wish.seed)
        self._held.callback(self._mobile.close)
        self._inner = Line(broker, CITY_SIDE, seed=self._wish.seed + 1)
        self._held.callback(self._inner.close)
        self._source.prepare(city.public_key, self._mobile.port)

    def _start(self) -> None:
        site = self._site
        self._held.callback(self._stop)
        self._keep(Child("broker", (self._mosquitto, "-c", str(site.broker_conf))))
        for name in RECEIVERS:
            self._keep(
                Child(
                    name,
                    (
                        *(str(BIN / "kiosk-receiver"), "run", "--database", self._database),
                        *("--broker", f"mqtt://127.0.0.1:{self._inner.port}"),
                        *("--key", str(site.city / "city.key")),
                    ),
                )
            )
        self._source.start(self._keep)
        config = ("--config", str(site.settings))
        self._keep(Child("uplink", (str(BIN / "kiosk"), "uplink", *config)))
        self._wait(self._answers, VICTIM_S, "The station does not come up.")

    def _keep(self, child: Child) -> None:
        keeper = Keeper(child, self._site.folder, self._news)
        self._keepers[child.name] = keeper
        keeper.start()

    def _news(self, name: str, what: str) -> None:
        if what == "started":
            self._born_s[name] = time.monotonic()

    # --- the kills -------------------------------------------------------------------------------

    def _kill_all(self, kills: list[Kill]) -> None:
        for number, kill in enumerate(kills, 1):
            time.sleep(kill.wait_s)
            self._mobile.become("dark" if self._rng.randrange(DARK_EACH) == 0 else "open")
            self._result.dark += self._mobile.state == "dark"
            self._kill(kill.victim)
            if self._postgres is not None and number % POSTGRES_EACH == 0:
                self._postgres.kill()
                self._result.database_kills += 1
                self._postgres.start()
            self._tell(f"{number} of {len(kills)} kills")
            if self._failed():
                return
        self._mobile.become("open")

    def _kill(self, victim: str) -> None:
        """-9, once it has lived a little."""
        give_up_s = time.monotonic() + VICTIM_S
        while time.monotonic() < give_up_s:
            lived_s = time.monotonic() - self._born_s.get(victim, 0.0)
            if lived_s >= YOUNG_S and self._keepers[victim].send(signal.SIGKILL):
                kind = "receivers" if victim in RECEIVERS else victim
                self._result.kills[kind] += 1
                return
            time.sleep(0.02)
        self._found("victim", f"{victim} did not come back within {VICTIM_S:.0f} s.")

    # --- the end ---------------------------------------------------------------------------------

    def _drain(self) -> None:
        if self._failed():
            return
        for line in (self._mobile, self._inner):
            line.change(Weather())
            line.reset_silent()
        self._source.hush(lambda name, number: self._keepers[name].send(number))
        self._wait(
            lambda: self._source.quiet() and self._drained(),
            DRAIN_S,
            "The city did not have the station's head in time.",
        )

    def _wait(self, done: Callable[[], bool], limit_s: float, words: str) -> None:
        give_up_s = time.monotonic() + limit_s
        while not done():
            if self._failed():
                return
            if time.monotonic() > give_up_s:
                self._found("not_in_time", words)
                return
            self._tell("waiting")
            time.sleep(LOOK_S)

    def _answers(self) -> bool:
        return self._progress() is not None

    def _drained(self) -> bool:
        """The station itself says that the city has signed for its head."""
        progress = self._progress()
        return progress is not None and progress[0] == progress[1]

    def _progress(self) -> tuple[int, int] | None:
        try:
            with ControlClient(self._site.socket, timeout_s=2) as client:
                hello = client.call("hello")
        except (OperatorError, StationError):
            return None
        return hello["head_seq"], hello["watermark"]

    def _tell(self, words: str) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            progress = self._progress()
            where = "" if progress is None else f"; head {progress[0]}, watermark {progress[1]}"
            self._say(f"{words}{where}")

    def _failed(self) -> bool:
        for keeper in self._keepers.values():
            if keeper.failure:
                self._found("process", keeper.failure)
                return True
        return False

    def _found(self, code: str, words: str) -> None:
        finding = Finding(code, words)
        if finding not in self._result.findings:
            self._result.findings.append(finding)

    def _stop(self) -> None:
        """The station first; idempotent."""
        for name in ("station", "world", "uplink", *RECEIVERS, "broker"):
            if name in self._keepers:
                self._keepers[name].stop()

    # --- the accounts ----------------------------------------------------------------------------

    def _account(self) -> None:
        site = self._site
        ledgers = [site.ledger, *sorted(site.station.glob("ledger-*.db"))]
        compared = compare(ledgers, self._database, self._source.committed)
        self._result.compared = compared
        self._result.findings += compared.findings
        counts = self._mobile.counts
        self._result.mobile = {
            "connections": counts.connections,
            "stalls": counts.stalls,
            "resets": counts.resets,
            "silences": counts.silences,
        }
        self._verify("kiosk", "ledger", "verify", "--config", str(site.settings))
        self._verify("kiosk-receiver", "verify", "--database", self._database)

    def _verify(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [BIN / name, *arguments],
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip().splitlines()
            self._found("verify", f"{name} {arguments[0]}: {' / '.join(said[-3:])}")


def main(wish: Wish, *, as_json: bool) -> int:
    """For the command line: 0 identical, 1 not, 2 it could not start."""
    import msgspec

    def say(line: str) -> None:
        sys.stderr.write(line + "\n")

    try:
        result = run(wish, say)
    except (DemoError, NoPostgres) as error:
        sys.stderr.write(f"hw-sim chaos: {error}\n")
        return 2
    if as_json:
        terminal.say(msgspec.json.encode(result).decode())
    else:
        compared = result.compared
        each = ", ".join(f"{name} {times}" for name, times in sorted(result.kills.items()))
        terminal.say(
            f"kills      {result.kills.total()}: {each}; PostgreSQL {result.database_kills} more; "
            f"{result.dark} blackouts\n"
            f"line       {result.mobile}\n"
            f"compared   {compared.entries} entries, {compared.seals} seals; "
            f"{compared.promised} commits were promised\n"
            f"time       {result.took_s:.0f} s, the last {result.drained_s:.0f} s draining"
        )
        for one in result.findings:
            terminal.say(f"NOT ACCOUNTED FOR  {one.code}: {one.words}")
        if not result.findings:
            terminal.say("ledger and city are identical")
    return 1 if result.findings else 0
