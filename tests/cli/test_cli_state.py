"""What a caretaker sees of a station that runs, limps, or rests."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from cli_site import WELL, Site

from kiosk.facts import DeviceFacts, Facts, LinkFacts, ListFacts
from sync.signing import Signer

Run = Callable[..., None]
ALLOWED = {"ja": "使えるカードの一覧", "easy": "つかえる カードの リスト", "en": "Allowed cards"}


def test_a_well_station_on_one_page_in_japanese(site: Site, run: Run) -> None:
    run()
    said = site.kiosk("status")
    assert (said.code, said.err) == (0, "")
    for words in (
        "中央公民館",
        "65 分",
        "つながっています",
        "120 件",
        "待ち 2 件",
        "1.24 kg",
        "はかりなし",
    ):
        assert words in said.out
    assert len(said.out.splitlines()) <= 24


@pytest.mark.parametrize("language", ["ja", "easy", "en"])
def test_the_citys_lists_are_on_the_page_with_their_age(
    site: Site, run: Run, language: str
) -> None:
    there = ListFacts(name="closed", worth="good", version=31, count=4711, age_days=6)
    run(msgspec.structs.replace(WELL, lists=(there, ListFacts(name="allowed", needed=True))))
    said = site.kiosk("status", "--lang", language)
    (line,) = [line for line in said.out.splitlines() if "4711" in line]
    assert "31" in line and "6" in line
    (missing,) = [one for one in said.out.splitlines() if one.startswith(ALLOWED[language])]
    assert missing != line


def test_status_json_is_one_value_and_nothing_else(site: Site, run: Run) -> None:
    run()
    said = site.kiosk("--json", "status")
    assert said.value["running"] is True
    assert said.value["queue"] == 2 and said.value["bins"][0]["live_g"] == 1240


def test_a_station_at_rest_is_told_from_its_files(site: Site) -> None:
    said = site.kiosk("status", "--json")
    assert said.code == 1
    assert said.value["running"] is False and said.value["head_seq"] is None
    assert "止まっています" in site.kiosk("status").out


def test_the_key_that_the_city_registers_is_on_the_page(site: Site, run: Run) -> None:
    """``kiosk-receiver station add --key`` sends people here for it, before the first start too."""
    own = Signer.load(site.folder / "keys/station.key").public_key.hex()
    assert own in site.kiosk("status").out
    assert site.kiosk("status", "--json").value["public_key"] == own
    run()
    assert "ab" * 32 in site.kiosk("status").out
    assert site.kiosk("status", "--json").value["public_key"] == "ab" * 32


def test_a_key_that_cannot_be_read_spoils_no_page(site: Site) -> None:
    (site.folder / "keys/station.key").write_text("no key\n")
    said = site.kiosk("status")
    assert "kiosk doctor keys" in said.out
    assert site.kiosk("status", "--json").value["public_key"] is None


def test_what_is_lost_is_named_and_at_rest_nobody_knows(site: Site, run: Run) -> None:
    assert site.kiosk("status", "--json").value["lost"] is None
    run(
        msgspec.structs.replace(
            WELL, devices=(DeviceFacts(name="scale:b1", state="lost", code="scale_missing"),)
        )
    )
    assert site.kiosk("status", "--json").value["lost"] == ["scale:b1"]


def test_without_its_uplink_the_doctor_says_how_to_start_it(site: Site, run: Run) -> None:
    run(msgspec.structs.replace(WELL, link=LinkFacts()))
    (finding,) = [
        one
        for one in site.kiosk("doctor", "--json", "--lang", "en").value["findings"]
        if one["level"] != "OK"
    ]
    assert (finding["code"], finding["cause"]) == ("link", "no_uplink")
    assert finding["todo"] == "Start it: sudo systemctl start kiosk-uplink"


@pytest.mark.parametrize(
    ("lang", "words"), [("ja", "全部良い"), ("easy", "ぜんぶ いい"), ("en", "All is well")]
)
def test_doctor_of_a_well_station_speaks_three_languages(
    site: Site, run: Run, lang: str, words: str
) -> None:
    run()
    said = site.kiosk("doctor", "--lang", lang)
    assert said.code == 0, said.out
    assert words in said.out


def test_a_lost_scale_is_an_error_with_one_next_step(site: Site, run: Run) -> None:
    lost = DeviceFacts(name="scale:b1", state="lost", code="scale_missing", since_ms=300_000)
    run(msgspec.structs.replace(WELL, devices=(lost,)))
    said = site.kiosk("doctor", "--json")
    assert said.code == 1 and said.value["worst"] == "ERR"
    (finding,) = [one for one in said.value["findings"] if one["level"] != "OK"]
    assert (finding["code"], finding["subject"]) == ("scale", "b1")
    assert finding["cause"] == "scale_missing"
    assert "5 分前" in finding["what"] and finding["todo"].count("。") <= 2
    # By the check's code and by the device's own.
    assert site.kiosk("doctor", "scale", "--json").value["findings"] == [finding]
    assert site.kiosk("doctor", "scale_missing", "--json").value["findings"] == [finding]


def test_a_day_without_network_is_a_warning_and_no_error(site: Site, run: Run) -> None:
    offline = LinkFacts(online=False, code="no_route", words="no route")
    run(msgspec.structs.replace(WELL, link=offline))
    said = site.kiosk("doctor")
    assert said.code == 0
    assert "保存しています" in said.out
    assert "通信：つながっていません" in site.kiosk("status").out


def test_a_city_that_refuses_is_an_error(site: Site, run: Run) -> None:
    run(msgspec.structs.replace(WELL, link=LinkFacts(online=True, code="unknown_key")))
    said = site.kiosk("doctor")
    assert said.code == 1 and "市がこのステーションの鍵を知らない" in said.out


def test_a_check_that_is_well_is_shown_when_asked_for(site: Site, run: Run) -> None:
    run()
    assert site.kiosk("doctor", "clock").code == 0
    said = site.kiosk("doctor", "frobnicate")
    assert said.code == 2 and "frobnicate" in said.err


def test_doctor_names_a_key_that_others_may_read(site: Site, run: Run) -> None:
    run()
    (site.folder / "keys/card.key").chmod(0o644)
    said = site.kiosk("doctor", "keys", "--lang", "en")
    assert said.code == 1 and "chmod 600" in said.out and "card.key" in said.out


def test_doctor_says_what_is_wrong_in_the_settings(site: Site) -> None:
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(text.replace("division_g = 20", "division_g = 21"), encoding="utf-8")
    said = site.kiosk("doctor", "--json")
    assert said.code == 1
    (finding,) = said.value["findings"]
    assert (finding["code"], finding["cause"]) == ("settings", "division_form")
    assert "bin[0].scale.division_g" in finding["what"]


def test_watch_draws_what_the_screen_shows(site: Site, run: Run) -> None:
    run()
    said = site.kiosk("watch")
    assert said.code == 0
    assert "記録しました" in said.out and "カード 3 回" in said.out and "1.24 kg" in said.out
    assert [line["phase"] for line in site.kiosk("watch", "--json").lines] == ["recorded"]


def test_watching_a_station_at_rest_says_how_to_start_it(site: Site) -> None:
    said = site.kiosk("watch")
    assert (said.code, said.out) == (1, "")
    assert "systemctl start kiosk-station" in said.err
    said = site.kiosk("watch", "--json")
    assert said.value["error"]["code"] == "station_unreachable" and said.err == ""


def test_sync_status_says_how_far_the_city_is(site: Site, run: Run) -> None:
    run()
    said = site.kiosk("sync", "status")
    assert said.code == 0 and "120 件のうち 118 件" in said.out
    assert site.kiosk("sync", "status", "--json").value["queue"] == 2


def test_sync_status_tells_the_last_trouble_also_when_it_is_over(site: Site, run: Run) -> None:
    over = LinkFacts(online=True, code=None, trouble="cert_expired", trouble_age_ms=7_300_000)
    run(msgspec.structs.replace(WELL, link=over))
    said = site.kiosk("sync", "status")
    assert "最後の不具合：2 時間前、このステーションの証明書の期限が切れている" in said.out
    assert site.kiosk("sync", "status", "--json").value["link"]["trouble"] == "cert_expired"


def test_scales_are_listed_with_and_without_a_running_station(site: Site, run: Run) -> None:
    resting = site.kiosk("scale", "list", "--json").lines
    assert [(one["bin"], one["kind"], one["live_g"]) for one in resting] == [
        ("b1", "indicator", None),
        ("b2", None, None),
    ]
    run()
    assert site.kiosk("scale", "list", "--json").lines[0]["live_g"] == 1240
    assert "指示計" in site.kiosk("scale", "list").out


def test_a_bag_is_swapped_and_a_zeroed_indicator_answered_for(site: Site, run: Run) -> None:
    run()
    said = site.kiosk("bag", "swap", "b1")
    assert said.code == 0 and "7 番、袋の交換、+1234 g" in said.out
    said = site.kiosk("scale", "zeroed", "b1", "--json")
    assert (said.code, said.value["bin"], said.value["written"]) == (1, "b1", [])
    assert site.touched == [
        {"action": "bag_swap", "bin": "b1"},
        {"action": "indicator_zeroed", "bin": "b1"},
    ]
    said = site.kiosk("bag", "swap", "b9")
    assert said.code == 2 and "kiosk scale list" in said.err


def test_facts_come_back_from_the_socket_as_they_went(site: Site) -> None:
    from kiosk.facts import from_dict, to_dict

    assert from_dict(to_dict(WELL)) == WELL
    assert isinstance(from_dict({**to_dict(WELL), "newer": 1}), Facts)
