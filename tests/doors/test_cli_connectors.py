"""Connections to other systems on the command line: made, tried, changed and taken away; no secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

from tests.connectors.vendors import Jira, running
from tests.connectors.world import KEY_FILE, SECRET, settings_for
from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import connect
from tests.doors.test_cli import Terminal, berlin, shell
from watchbill.db.models import Connection, ExternalRef

__all__ = ["berlin", "shell"]
TOKEN = "tk_secret_token"
OF_JIRA = ("flavour", "email", "project")


def test_an_owner_connects_tries_changes_and_removes(shell, api: ApiWorld) -> None:
    """SYS-01: a secret is asked for, and printed by none of it; what is not given stays."""
    eva, ana = shell("eva", "write"), shell("ana", "write")
    said: list[str] = []
    with running(Jira()) as vendor:
        given = {"url": vendor.url} | {name: settings_for("jira", "")[name] for name in OF_JIRA}
        sets = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        made = eva.try_("connector", "add", "jira", *sets, "--ask", "webhook_secret", typed=f"{SECRET}\n{TOKEN}\n")
        assert made.exit_code == 0, made.output
        row = Connection.objects.get()
        assert (row.settings["token"], row.settings["webhook_secret"]) == (TOKEN, SECRET)
        number = str(row.pk)
        said += [made.output, eva.run("connector", "try", number)]
        assert "Reached as Robot" in said[-1]
        changed = eva.run("connector", "change", number, "--name", "Our Jira", "--set", "issue_type=Bug")
        said += [changed, eva.run("connector", "show", number), eva.run("connector"), ana.run("connector")]
        assert all("Our Jira" in one for one in said[2:])
        row.refresh_from_db()
        assert (row.settings["token"], row.settings["issue_type"]) == (TOKEN, "Bug")
        eva.run("connector", "change", number, "--default", "issue_type", "--default", "webhook_secret")
        row.refresh_from_db()
        assert (row.settings["token"], row.settings["issue_type"], row.settings["webhook_secret"]) == (
            TOKEN,
            "Task",
            "",
        )
        said += [eva.run("connector", "show", number, "--json"), eva.run("connector", "--json")]
        said.append(eva.run("connector", "remove", number))
    assert not any(secret in one for secret in (TOKEN, SECRET, row.key) for one in said)
    assert "Nothing is connected" in eva.run("connector")


def test_what_is_not_right_connects_nothing_and_says_why(shell, api: ApiWorld) -> None:
    number = str(connect(api.world).pk)
    eva, ana = shell("eva", "write"), shell("ana", "write")
    sets = ("--set", "url=http://127.0.0.1:9", "--set", "project=ops/desk")
    for who, code, words, message in (
        (eva, 2, ("add", "gitlab", *sets, "--set", "token=tk_secret_token"), "is a secret"),
        (eva, 2, ("add", "gitlab", "--set", "url"), "NAME=VALUE"),
        (eva, 2, ("add", "freshdesk", "--set", "canned=perhaps"), "as JSON"),
        (eva, 2, ("add", "gitlab", "--file", "token=/nowhere"), "cannot be read"),
        (eva, 1, ("add", "pony"), "is none of"),
        (eva, 1, ("add", "gitlab", *sets, "--set", "pony=1"), "(pony)"),
        (eva, 1, ("change", number), "say what changes"),
        (eva, 1, ("change", number, "--set", "pony=1"), "(pony)"),
        (eva, 1, ("change", number, "--default", "token"), "(token)"),
        (eva, 1, ("try", number), "Connection refused"),
        (eva, 1, ("canned", number), "are kept here"),
        (ana, 3, ("change", number, "--name", "Mine"), "Ask Eva"),
        (ana, 3, ("add", "gitlab", *sets), "Ask Eva"),
        (ana, 3, ("remove", number), "Ask Eva"),
        (shell("charlie", "write"), 1, ("show", number), "there is no connection"),
    ):
        result = who.try_("connector", *words, typed=f"{TOKEN}\n")
        assert (result.exit_code, message in result.stderr) == (code, True), (words, result.output)
        assert TOKEN not in result.output.replace("token=tk_secret_token", ""), words
    assert Connection.objects.get().name == "Lab"


def test_a_key_is_read_from_a_file_and_words_are_said(shell, api: ApiWorld, tmp_path: Path) -> None:
    tracker = connect(api.world)
    number = str(tracker.pk)
    eva: Terminal = shell("eva", "write")
    assert "NEEDED" in eva.run("connector", "kinds", "google_meet")
    assert "call" in eva.run("connector", "kinds")
    (tmp_path / "key.json").write_text(json.dumps(KEY_FILE))
    where = ("--set", "api=http://127.0.0.1:9", "--set", "auth=http://127.0.0.1:9", "--set", "user=ben@example.net")
    eva.run("connector", "add", "google_meet", *where, "--file", f"key_file={tmp_path}/key.json")
    stored = Connection.objects.get(connector="google_meet").settings["key_file"]
    assert json.loads(stored)["client_id"] == KEY_FILE["client_id"]
    ref = ExternalRef.objects.create(
        connection=tracker, subject_kind="ticket", subject_id=1, ref="7", sync="unknown_state", their_state="Parked",
        error="unknown",
    )  # fmt: skip
    assert "Parked" in eva.run("connector", "show", number)
    assert str(ref.pk) in eva.run("connector", "twins", number, "unknown_state")
    assert "0 tried again" in eva.run("connector", "retry", number)
    assert "is waiting from now on" in eva.run("connector", "state", number, "On ice", "waiting")
    words = json.loads(eva.run("connector", "words", number))
    piped = eva.try_("connector", "change", number, "--file", "webhook_secret=-", typed=f"{SECRET}\n")
    assert (piped.exit_code, Connection.objects.get(pk=tracker.pk).settings["webhook_secret"]) == (0, SECRET)
    words["door"] = "ticket"
    (tmp_path / "words.json").write_text(json.dumps(words))
    eva.run("connector", "words", number, "--file", f"{tmp_path}/words.json")
    assert json.loads(eva.run("connector", "words", number)) == words
    assert "running" in eva.run("connector", "import", number)
    assert "stopped" in eva.run("connector", "import", number, "--stop")
