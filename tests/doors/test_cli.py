"""The command line against a running server: what people type, what they read, how it ends."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.doors.api_world import ApiWorld
from tests.world import free_port
from watchbill.db.models import Absence, ApiToken, Override, Page, Silence
from watchbill.entry.cli import COMMANDS, main
from watchbill.entry.cli.times import read_instant, read_length


class Terminal:
    """One person's shell: commands run in this process, or as programs of their own."""

    def __init__(self, url: str, token: str, home: Path) -> None:
        self.env = {"WATCHBILL_API_URL": url, "WATCHBILL_TOKEN": token, "XDG_CONFIG_HOME": str(home)}

    def try_(self, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, words, env=self.env, input=typed)

    def run(self, *words: str) -> str:
        result = self.try_(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def program(self, *words: str) -> subprocess.CompletedProcess[str]:
        code = "from watchbill.entry.cli import main; main(prog_name='watchbill')"
        env = {"PATH": os.environ["PATH"], "TZ": "Europe/Berlin", **self.env}
        return subprocess.run(
            [sys.executable, "-c", code, *words], env=env, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch):
    """This machine stands in Berlin."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def shell(api: ApiWorld, live_server, tmp_path: Path, berlin: None):
    """Give anybody's shell, logged in."""

    def open_shell(name: str, *scopes: str) -> Terminal:
        return Terminal(live_server.url, api.token(name, *scopes), tmp_path)

    return open_shell


def test_who_is_on_watch_is_shown_in_the_zone_of_the_machine(shell):
    ana = shell("ana", "read")
    now = ana.run("who")
    assert "Ana" in now
    assert "CET" in now
    later = ana.run("who", "--team", "platform", "--at", "2026-03-10 18:00")
    assert "Ben" in later
    (watch,) = ana.json("who", "--at", "2026-03-10 18:00")
    assert watch["at"] == "2026-03-10T17:00:00Z"


def test_a_program_gets_exit_codes_and_finds_errors_on_stderr(shell, api: ApiWorld):
    number = str(api.alert())
    ana = shell("ana", "answer")
    done = ana.program("ack", number)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{number}: acknowledged by Ana")
    assert "\x1b" not in done.stdout
    listed = ana.program("alerts", "--json")
    assert [alert["acknowledged_by"]["name"] for alert in json.loads(listed.stdout)] == ["Ana"]
    unknown = ana.program("ack", "999000999", number)
    assert (unknown.returncode, unknown.stderr) == (1, "watchbill: 999000999: there is no alert 999000999\n")
    assert number in unknown.stdout
    assert ana.program("ack").returncode == 2
    assert ana.program("ack", "twelve").returncode == 2
    refused = shell("olga", "answer").program("ack", number)
    assert refused.returncode == 3
    assert "Ask Eva" in refused.stderr


def test_a_server_that_is_not_there_and_a_token_that_is_not_good_end_with_3(shell, tmp_path: Path):
    away = Terminal(f"http://127.0.0.1:{free_port()}", "wb_x", tmp_path)
    result = away.try_("who")
    assert result.exit_code == 3
    assert "does not answer" in result.stderr
    ana = shell("ana")
    ana.env["WATCHBILL_TOKEN"] = "wb_wrong"
    assert ana.try_("who").exit_code == 3
    del ana.env["WATCHBILL_TOKEN"]
    nobody = ana.try_("who")
    assert nobody.exit_code == 3
    assert "watchbill login" in nobody.stderr
    elsewhere = Terminal(ana.env["WATCHBILL_API_URL"] + "/accounts/login/?", "wb_x", tmp_path)
    assert elsewhere.try_("who").exit_code == 3


def test_login_tries_the_token_and_keeps_it_for_its_owner_alone(shell, tmp_path: Path):
    ana = shell("ana", "read")
    url, token = ana.env.pop("WATCHBILL_API_URL"), ana.env.pop("WATCHBILL_TOKEN")
    wrong = ana.try_("login", typed=f"{url}\nwb_wrong\n")
    kept = tmp_path / "watchbill" / "config.toml"
    assert (wrong.exit_code, kept.exists()) == (3, False)
    result = ana.try_("login", typed=f"{url}/\n{token}\n")
    assert result.exit_code == 0, result.output
    assert "Ana" in result.stdout
    assert token not in result.output
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "Ana" in ana.run("who")
    assert ana.run("me").startswith("Name")
    assert ana.run("logout") == "Logged out.\n"
    assert ApiToken.objects.get().revoked_at is not None
    assert not kept.exists()


def test_answers_are_typed_in_a_few_words(shell, api: ApiWorld):
    number = str(api.alert())
    ana = shell("ana", "answer")
    assert "snoozed" in ana.run("alert", number) or "firing" in ana.run("alert", number)
    assert "until Tue 03 Mar 2026 12:00 CET" in ana.run("snooze", number, "--for", "2h")
    ana.run("reassign", number, "ben")
    ana.run("help-me", number)
    ana.run("note", number, "the backup volume")
    assert "Nothing asks you now." not in ana.run("ack", "--mine")
    assert ana.run("ack", "--mine") == "Nothing asks you now.\n"
    assert "resolved" in ana.run("resolve", number)
    story = ana.run("alert", number)
    for part in ("the backup volume", "Ana asks for help", "Ana asked Ben to take it", "email", "resolved"):
        assert part in story
    assert ana.run("alerts") == "No alerts.\n"
    assert "Disk full" in ana.run("alerts", "--state", "all", "--search", "disk")


def test_somebody_is_paged_by_name_by_service_or_by_team(shell, api: ApiWorld):
    ana = shell("ana", "answer")
    said = ana.run("page", "ben", "need you", "--service", "checkout")
    page = Page.objects.get()
    assert said.startswith(f"p{page.pk}: paging Ben.")
    assert (page.title, page.service.slug) == ("need you", "checkout")
    assert ana.json("page", "the till is down", "--service", "checkout")["ladder"] == "Standard"
    assert ana.json("page", "ben", "me again")["team"]["slug"] == "platform"
    assert ana.try_("page", "help").exit_code == 2
    assert ana.try_("page", "ben", "need", "you").exit_code == 2
    nobody = ana.try_("page", "zoe", "help")
    assert (nobody.exit_code, nobody.stderr) == (1, "watchbill: nobody you can see is called “zoe”\n")
    api.world.work()
    ben = shell("ben", "answer")
    assert "acknowledged by Ben" in ben.run("ack", f"p{page.pk}")
    assert "Ana asked for Ben" in ben.run("alert", f"p{page.pk}")


def test_alerts_are_silenced_for_a_while_with_a_reason(shell, api: ApiWorld):
    api.alert()
    ana = shell("ana", "write")
    assert "Disk full" in ana.run("silence", "checkout", "--preview")
    words = ("silence", "checkout", "--for", "2h", "--why", "disk swap", "alertname=DiskFull", "host=~db.*")
    assert "until Tue 03 Mar 2026 12:00 CET" in ana.run(*words)
    silence = Silence.objects.get()
    assert silence.why == "disk swap"
    assert [(m["label"], m["operator"], m["value"]) for m in silence.matchers] == [
        ("alertname", "=", "DiskFull"),
        ("host", "=~", "db.*"),
    ]
    assert "disk swap" in ana.run("silences", "--service", "checkout")
    ana.run("silences", "end", str(silence.pk))
    assert ana.run("silences") == "No silences.\n"
    assert ana.try_("silence", "checkout", "--for", "2h").exit_code == 2
    assert ana.try_("silence", "checkout", "--for", "soon", "--why", "x").exit_code == 2
    everything = ana.try_("silence", "--team", "platform", "--for", "1h", "--why", "x")
    assert (everything.exit_code, "choose a service" in everything.stderr) == (1, True)


def test_the_rota_is_read_and_changed(shell, api: ApiWorld):
    ana = shell("ana", "write")
    assert "Ben" in ana.run("rota", "--team", "platform", "--weeks", "2")
    slug = ana.json("rota", "list")[0]["slug"]
    assert {shift["person"]["name"] for shift in ana.json("rota", "--person", "ana", "--weeks", "8")} == {"Ana"}
    said = ana.try_("rota", "override", slug, "ben", "--from", "2026-03-04 10:00", "--for", "4h", "--why", "dentist")
    assert said.exit_code == 0, said.output
    override = Override.objects.get()
    assert override.starts_at.isoformat() == "2026-03-04T09:00:00+00:00"
    assert "Ben" in ana.run("who", "--at", "2026-03-04 12:00")
    ana.run("rota", "undo", slug, str(override.pk))
    assert "Ben is" not in ana.run("who", "--at", "2026-03-04 12:00")
    ana.run("rota", "away", "2026-03-20", "2026-03-22")
    assert Absence.objects.get().person == api.world.ana


def test_an_owner_renames_a_rotation(shell, api: ApiWorld):
    slug = api.world.rotation.slug
    assert "is called Night watch" in shell("eva", "write").run("rota", "rename", slug, "Night watch")
    assert "Night watch" in shell("ana", "read").run("rota", "list")
    assert shell("ana", "write").try_("rota", "rename", slug, "Mine").exit_code != 0


def test_services_teams_people_and_the_log_are_listed(shell, api: ApiWorld):
    api.world.arrives({"nobody": "understands"})
    api.world.work()
    eva = shell("eva", "write")
    assert "checkout" in eva.run("services")
    service = eva.run("service", "checkout")
    assert "events_v2" in service
    assert "Not understood" in service
    assert "1 payloads" in eva.run("service", "checkout", "--replay")
    assert "Platform" in eva.run("teams")
    assert "observer" in eva.run("team", "platform")
    assert "ben@example.org" in eva.run("people", "--search", "ben")
    assert "Eva" in eva.run("log", "--team", "platform")
    changed = json.loads(eva.run("api", "PATCH", "/services/checkout", "--data", '{"tier": 1}'))
    assert changed["tier"] == 1


def test_a_title_cannot_steer_the_terminal(shell, api: ApiWorld):
    api.world.event(summary="\x1b]0;owned\x07 disk\x9b31m full")
    api.world.work()
    shown = shell("ana", "read").run("alerts")
    assert "disk" in shown
    assert not any((ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 for c in shown)


def test_every_command_says_what_it_does():
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0, name
        assert len(result.output.splitlines()[2].strip()) > 10, name


def test_lengths_and_times_are_read_as_people_write_them(api: ApiWorld, berlin: None):
    now = api.world.now
    assert read_length("1d12h").total_seconds() == 36 * 3600
    assert read_instant("+90m", now).isoformat() == "2026-03-03T10:30:00+00:00"
    assert read_instant("18:00", now).isoformat() == "2026-03-03T17:00:00+00:00"
    assert read_instant("2026-07-01 18:00", now).isoformat() == "2026-07-01T16:00:00+00:00"
    assert read_instant("2026-07-01T18:00:00Z", now).isoformat() == "2026-07-01T18:00:00+00:00"
