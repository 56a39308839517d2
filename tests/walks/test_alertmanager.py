"""The watch, end to end: a real Alertmanager fires, real mail pages, nobody answers, the next one does, it resolves."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.walks.serving import serving, wait_for
from tests.world import Mailbox, free_port

BUILD = """
from datetime import timedelta
from watchbill.actions import catalogue, rota
from watchbill.db.models import ContactAddress, Ladder, Membership, NotificationRule, Person, Service, Team
from watchbill.entry.clock import now as read_clock
now = read_clock()
people = []
for name in ("Ana", "Ben"):
    person = Person.objects.create_user(f"{name.lower()}@example.org", "correct horse 9", name=name)
    address = ContactAddress.objects.create(person=person, channel="email", label="work", address={"email": person.email}, created_at=now, verified_at=now)
    NotificationRule.objects.create(person=person, urgency="important", address=address, after_seconds=0)
    people.append(person)
team = Team.objects.create(slug="platform", name="Platform", zone="UTC", fallback=people[0], created_at=now)
for person in people:
    Membership.objects.create(team=team, person=person, role="owner", created_at=now)
steps = [{"targets": ["seat:engineer"], "wait_minutes": 0.02}, {"targets": ["next:engineer"], "wait_minutes": 30}]
ladder = Ladder.objects.create(team=team, name="Standard", steps=steps, repeat=1, changed_at=now)
service = catalogue.add_service(team, {"name": "checkout", "ladder": ladder.pk}, people[0], now)
settings = {"zone": "UTC", "unit": "week", "handoff_at": "00:00", "starts_on": (now - timedelta(days=now.weekday())).date().isoformat(),
            "seats": [{"name": "engineer"}], "members": [{"person": person.pk} for person in people]}
rota.create_rotation(team, "Engineers", settings, people[0], now)
connection = catalogue.connect_monitor(service, "alertmanager", "Prometheus", people[0], now)
print(connection.key)
"""

CONFIG = """
route: {{receiver: watchbill, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: watchbill
    webhook_configs:
      - url: {url}
        send_resolved: true
"""

# The database is asked itself: a script beside the server would first load the whole program.
PAGES = "SELECT state, name FROM watchbill_page LEFT JOIN watchbill_person ON watchbill_person.id = answered_by_id"
STATES = "SELECT g.state, p.state FROM watchbill_alertgroup g JOIN watchbill_page p ON p.group_id = g.id"
STORY = "SELECT kind, why FROM watchbill_event WHERE subject_kind IN ('page', 'alert') ORDER BY id"


@pytest.fixture
def alertmanager(tmp_path):
    """Debian's own Alertmanager, told to post to Watchbill."""
    binary = shutil.which("prometheus-alertmanager")
    assert binary, "apt-get install prometheus-alertmanager"
    processes = []

    def start(webhook: str) -> str:
        config = tmp_path / "alertmanager.yml"
        config.write_text(CONFIG.format(url=webhook))
        port = free_port()
        processes.append(
            subprocess.Popen(
                [
                    binary,
                    f"--config.file={config}",
                    f"--storage.path={tmp_path / 'am'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    "--cluster.listen-address=",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: httpx2.get(url + "/-/ready").status_code == 200)
        return url

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_alertmanager_fires_the_watch_is_paged_the_next_answers_by_the_link_and_it_resolves(
    tmp_path, mail_server, alertmanager
):
    """PAG-01, PAG-02: the whole way, with real parts."""
    mailbox: Mailbox = mail_server
    mailbox.clear()
    smtp = f"smtp://127.0.0.1:{mailbox.port}/?from=watch@example.org"
    with serving(tmp_path / "data", WATCHBILL_SMTP_URL=smtp) as watchbill:
        key = watchbill.run(BUILD).strip()
        prometheus = alertmanager(f"{watchbill.url}/in/alertmanager/{key}")
        began = datetime.now(UTC)
        alert = {
            "labels": {"alertname": "DiskFull", "instance": "db1", "severity": "critical"},
            "annotations": {"summary": "Disk full on db1", "runbook_url": "https://runbooks.example.org/disk"},
            "startsAt": began.isoformat(),
        }
        assert httpx2.post(prometheus + "/api/v2/alerts", json=[alert], timeout=30).status_code == 200

        wait_for(lambda: [m for m in mailbox.messages if m["X-To"] == "ana@example.org"])
        to_ben = wait_for(lambda: [m for m in mailbox.messages if m["X-To"] == "ben@example.org"])[0]
        assert "Disk full on db1" in to_ben["Subject"]
        link = re.search(r"http://\S+/a/\S+", to_ben.get_body(("plain",)).get_content()).group(0)

        with httpx2.Client(follow_redirects=True, timeout=30) as phone:
            page = phone.get(link)
            assert page.status_code == 200
            assert "Disk full on db1" in page.text
            assert "Acknowledge" in page.text
            assert watchbill.store.query(PAGES) == [("climbing", None)], "looking at the link answers nothing"
            answered = phone.post(link, data={"answer": "acknowledge"})
            assert answered.status_code == 200
        assert watchbill.store.query(PAGES) == [("acknowledged", "Ben")]

        over = {**alert, "endsAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()}
        assert httpx2.post(prometheus + "/api/v2/alerts", json=[over], timeout=30).status_code == 200
        wait_for(lambda: watchbill.store.query(STATES) == [("resolved", "resolved")])
        whys = "\n".join(f"{kind} | {why}" for kind, why in watchbill.store.query(STORY))
        assert 0 <= whys.find("Ana is engineer on watch") < whys.find("Ben is next on watch"), "one after the other"
        for said in (
            "alert.opened",
            "critical pages at once",
            "Ben acknowledged",
            "page.resolved",
        ):
            assert said in whys
