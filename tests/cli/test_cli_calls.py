"""How calls are made and refused, whoever makes them."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_site import Site

from kiosk.cli import app
from kiosk.cli.spoken import DAILY, paths
from kiosk.cli.texts import LANGUAGES, Words

KIOSK = Path(sys.executable).with_name("kiosk")
ROOT = Path(__file__).parents[2]


def shell(*args: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The installed program, as a shell would call it."""
    return subprocess.run(
        [KIOSK, *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        timeout=60,
    )


@pytest.mark.parametrize(
    "args",
    [
        ["frob"],
        ["status", "--frob"],
        ["scale", "replay"],
        ["scale", "replay", "/nonexistent"],
        ["bag", "swap"],
        ["--lang", "fr", "status"],
        ["status", "--config"],
        ["sync", "frob"],
    ],
)
def test_a_wrong_call_is_two_sentences_and_exit_2(site: Site, args: list[str]) -> None:
    said = site.kiosk(*args, config=False)
    assert (said.code, said.out) == (2, "")
    assert "kiosk --help" in said.err and said.err.count("\n") == 1
    said = site.kiosk("--json", *args, config=False)
    assert said.code == 2 and said.err == ""
    assert said.value["error"]["code"] == "wrong_call"


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["frob"], "frob"),
        (["ledger"], "verify"),
        (["ledger", "frob"], "ledger frob"),
        (["status", "--frob"], "--frob"),
        (["status", "more"], "more"),
        (["scale", "replay"], "TRACE"),
        (["scale", "replay", "/nonexistent"], "/nonexistent"),
        (["scale", "decode", "/"], "/"),
        (["ledger", "show", "--count", "0"], "--count"),
        (["ledger", "show", "--count", "9" * 30], "10000"),
        (["status", "--lang", "fr"], "--lang"),
        (["doctor", "NOPE"], "NOPE"),
        (["bag", "swap", "b9"], "b9"),
        (["scale", "adjust", "b1", "--gravity-m-s2", "10"], "9.84"),
        (["scale", "adjust", "b1", "--known-g", "nan"], "3000000"),
        (["scale", "adjust", "b1", *["--known-g", "5000"] * 21], "--known-g"),
        (["scale", "probe", "x", "--seconds", "1e9"], "600"),
    ],
)
def test_refusals_speak_the_callers_language(site: Site, args: list[str], part: str) -> None:
    said = {lang: site.kiosk("--json", "--lang", lang, *args) for lang in LANGUAGES}
    errors = {lang: one.value["error"] for lang, one in said.items()}
    assert {one.code for one in said.values()} == {2}
    assert all(part in one["what"] + one["todo"] for one in errors.values())
    for lang in ("ja", "easy"):
        assert errors[lang]["what"].endswith("。") and errors[lang]["todo"].endswith("。")
        # Names of commands and options stay; no sentence of anybody else's does.
        assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+", errors[lang]["what"])
    assert errors["en"]["what"].endswith(".") and "\n" not in errors["en"]["what"]


def test_common_options_stand_anywhere(site: Site) -> None:
    config = str(site.file)
    for args in (
        ["--json", "--config", config, "config", "check"],
        ["config", "--json", f"--config={config}", "check"],
        ["config", "check", "--config", config, "--json"],
    ):
        assert site.kiosk(*args, config=False).value["file"] == config


def test_settings_are_looked_for_where_people_put_them(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    said = site.kiosk("config", "check", config=False)
    assert said.code == 2 and "--config" in said.err
    monkeypatch.setenv("KIOSK_CONFIG", str(site.file))
    assert site.kiosk("config", "check", config=False).code == 0
    monkeypatch.delenv("KIOSK_CONFIG")
    monkeypatch.chdir(site.folder)
    assert site.kiosk("config", "check", "--json", config=False).value["file"] == "station.toml"


def test_wrong_settings_are_exit_2_with_the_place(site: Site) -> None:
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(text.replace('id = "b2"', 'id = "b1"'), encoding="utf-8")
    said = site.kiosk("config", "check")
    assert (said.code, said.out) == (2, "")
    assert "bin[1].id" in said.err and "別の名前" in said.err
    said = site.kiosk("config", "check", "--lang", "en", "--json")
    assert said.value["error"]["code"] == "setting_twice"
    assert said.value["error"]["what"].endswith("b1 is already used at bin[0].id.")


def test_config_show_has_every_default(site: Site) -> None:
    assert "screen.port = 8080" in site.kiosk("config", "show").out
    assert "bin[0].scale.kind = indicator" in site.kiosk("config", "show").out
    assert site.kiosk("config", "show", "--json").value["mqtt"]["port"] == 1883


def test_the_language_is_the_stations_unless_asked_otherwise(site: Site) -> None:
    assert "設定は正しい" in site.kiosk("config", "check").out
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(
        text.replace('city = "demo"', 'city = "demo"\nlanguage = "easy"'), encoding="utf-8"
    )
    assert "せっていは ただしい" in site.kiosk("config", "check").out
    assert "settings are good" in site.kiosk("config", "check", "--lang", "en").out


def test_help_shows_ten_commands_and_all_of_them_when_asked(site: Site) -> None:
    short = site.kiosk("--help", config=False).out
    assert [line.strip() for line in short.splitlines() if line.strip() in DAILY] == list(DAILY)
    assert len(DAILY) == 10 and "card read" not in short
    for args in (["--help", "--all"], ["--all", "--help"]):
        every = site.kiosk(*args, config=False).out
        for path, _ in paths(app, ""):
            assert f"\n  {path}\n" in every


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_command_has_its_help_in_every_language(site: Site, lang: str) -> None:
    for path, _ in paths(app, ""):
        said = site.kiosk(*path.split(), "--help", "--lang", lang, config=False)
        assert said.code == 0
        assert Words(lang)(f"help.{path}") in said.out  # type: ignore[arg-type]
    for group in ("scale", "ledger", "config"):
        assert f"\n  {group} " in site.kiosk(group, "--help", "--lang", lang, config=False).out


def test_the_installed_program_in_a_plain_c_locale(site: Site) -> None:
    said = shell("config", "check", cwd=site.folder)
    assert said.returncode == 0, said.stderr
    assert "設定は正しい" in said.stdout
    said = shell("status", "--config", "none.toml", cwd=site.folder)
    assert said.returncode == 2 and "none.toml を読めません" in said.stderr


def test_a_reader_that_has_enough_is_no_error(site: Site) -> None:
    pipe = subprocess.run(
        ["/bin/sh", "-c", f"{KIOSK} config show | head -1"],
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (pipe.returncode, pipe.stderr) == (0, "")


def test_the_command_line_loads_nothing_heavy_before_it_knows_the_command() -> None:
    code = "import sys, kiosk.cli; print(sorted(m for m in sys.modules if m in HEAVY))"
    heavy = {
        "cv2",
        "numpy",
        "cryptography",
        "sqlite3",
        "sqlite_utils",
        "starlette",
        "paho",
        "serial",
    }
    seen = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert json.loads(seen.stdout.replace("'", '"')) == []


def test_the_menu_is_driven_by_a_number_pad(site: Site) -> None:
    check = DAILY.index("config check") + 1
    said = shell(cwd=site.folder, stdin=f"99\n{check}\nx\n0\n")
    assert said.returncode == 0 and said.stderr == ""
    assert "0 から 10 の番号" in said.stdout and "設定は正しい" in said.stdout
    assert said.stdout.rstrip().endswith("番号を押して Enter：")


def test_the_menu_asks_for_the_bin_and_goes_on_after_an_error(site: Site) -> None:
    swap = DAILY.index("bag swap") + 1
    said = shell(cwd=site.folder, stdin=f"{swap}\n1\n{swap}\n0\n")
    assert said.returncode == 0
    assert " 1  b1  pet-bottle" in said.stdout
    assert "ステーションが止まっている" in said.stderr
    assert said.stdout.count("1  " + Words("ja")("help.status")) == 3


def test_full_width_digits_are_digits_too(site: Site) -> None:
    said = shell(cwd=site.folder, stdin="１０\n²\n０\n")
    assert said.returncode == 0 and said.stderr == ""
    assert "設定は正しい" in said.stdout and said.stdout.count("0 から 10 の番号") == 1


def seen(terminal: int, words: str) -> str:
    """What the terminal shows until these words stand there."""
    shown = b""
    while words not in shown.decode("utf-8", "replace"):
        shown += os.read(terminal, 65_536)
    return shown.decode("utf-8", "replace")


@pytest.mark.parametrize("key", ["\n", "0\n", "\x03"])
def test_watch_is_left_with_a_number_pad_and_comes_back_to_the_menu(
    site: Site, run: Callable[[], None], key: str
) -> None:
    site.stays = True
    run()
    environment = {"KIOSK_CONFIG": str(site.file), "LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(KIOSK, ["kiosk", "--lang", "en"], environment)
    try:
        seen(terminal, "then Enter: ")
        os.write(terminal, b"3\n")
        seen(terminal, "Enter goes back to the menu")
        os.write(terminal, key.encode())
        seen(terminal, "then Enter: ")
        os.write(terminal, b"0\n")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        pid = 0
    finally:
        os.close(terminal)
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_the_menu_has_no_json(site: Site) -> None:
    assert site.kiosk("--json").value["error"]["code"] == "menu_json"
