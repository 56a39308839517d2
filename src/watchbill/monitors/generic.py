"""Any JSON: a person writes, in the browser, which part of a payload is the title, the state, the key.

Every setting is a text with holes: `Disk {{ disk.name }} is full`. What stands between {{ and }} is a JMESPath
expression (jmespath.org) that is looked up in the alert; `_payload` in it is the whole payload. Without any
setting the monitor reads the plain names that a script would choose: title, status, key, severity, description,
source, labels, url.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from watchbill.core.foreign import count_values
from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import (
    Example,
    Preview,
    Problem,
    digest_of,
    read_key,
    read_labels,
    read_line,
    read_links,
    read_text,
    read_time,
    read_word,
)
from watchbill.monitors._mapping import Settings
from watchbill.monitors._reading import tidy
from watchbill.monitors._templates import BadTemplate, Budget, TooMuchWork, read_template

__all__ = ["Settings", "parse", "preview"]

TITLE = "Any JSON (your own mapping)"

SET_UP = """\
Let your tool or script POST JSON to:

  {url}

With the names that Watchbill knows nothing has to be set:

  curl -X POST {url} -H 'Content-Type: application/json' -d '{
    "title": "Backup of the shop failed", "status": "firing", "key": "backup/shop", "severity": "error",
    "description": "exit code 2", "source": "backup-1", "url": "https://wiki.example.org/runbooks/backup"}'

Send it again with "status": "resolved" and the same "key" when it is over.

For any other shape send one payload, open it on the page of this connection and write the mapping beside it; the
result is shown as you type.
"""

_MOST_PROBLEMS = 50


def parse(payload: object, settings: Settings) -> list[Signal]:
    """Read a payload through the mapping.

    Raises Unreadable if the alerts are not where the mapping says, if one has neither title nor key, or if the
    mapping asks for too much work. Any other setting that does not fit costs its own field, not the alert.
    """
    reading = _Reading(payload, settings, count_values(payload))
    signals = [reading.read_item(item, number) for number, item in enumerate(reading.find_items())]
    return [signal for signal in signals if signal]


def preview(payload: object, settings: Settings | Mapping[str, Any]) -> Preview:
    """Give what `payload` becomes, and what does not work yet; for a form that is being typed, so it never raises.

    `settings` may be the raw values of the form: a field that cannot be read counts as empty and as a problem.
    """
    mapping, problems = (settings, []) if isinstance(settings, Settings) else _read_form(settings)
    signals: list[Signal] = []
    try:
        reading = _Reading(payload, mapping, count_values(payload))
        items = reading.find_items()
    except Unreadable as failure:
        return Preview((), (*problems, Problem("items", mapping.items, failure.message)))
    for number, item in enumerate(items):
        try:
            signal = reading.read_item(item, number)
        except Unreadable as failure:
            field = failure.where if failure.where in Settings.model_fields else "title"
            reading.complain(field, read_text(getattr(mapping, field)), failure.message)
            continue
        signals += [tidy(signal)] if signal else []
    problems += reading.problems
    return Preview(tuple(signals), tuple(dict.fromkeys(problems))[:_MOST_PROBLEMS])


def _read_form(values: Mapping[str, Any]) -> tuple[Settings, list[Problem]]:
    """Read what stands in the form; what cannot be read becomes empty, and a problem."""
    try:
        return Settings.model_validate(values), []
    except ValidationError as failure:
        errors = failure.errors(include_url=False, include_context=False)
    problems = [
        Problem(str(error["loc"][0]), read_text(error["input"], 300), error["msg"].removeprefix("Value error, "))
        for error in errors
    ]
    wrong = {problem.field for problem in problems}
    right = {name: value for name, value in values.items() if name in Settings.model_fields and name not in wrong}
    return Settings.model_validate(right | {name: "" for name in wrong if name in Settings.model_fields}), problems


class _Reading:
    """One payload read through one mapping; collects what did not work."""

    def __init__(self, payload: object, settings: Settings, size: int) -> None:
        self.problems: list[Problem] = []
        self._payload = payload
        self._settings = settings
        self._budget = Budget(size)

    def complain(self, field: str, expression: str, message: str) -> None:
        """Note what is wrong with a field."""
        self.problems.append(Problem(field, expression, message))

    def find_items(self) -> list[object]:
        """Give the alerts of the payload; raises Unreadable if there is nothing where they should be."""
        found = self._fill("items", self._settings.items, self._payload) if self._settings.items else self._payload
        if isinstance(found, list):
            return found
        if not isinstance(found, dict):
            why = self._explain_since(0, "there is neither a list nor an object")
            raise Unreadable(f"no alerts found: {why}", "items")
        return [found]

    def read_item(self, item: object, number: int) -> Signal | None:
        """Read one alert; None if the mapping leaves it out; raises Unreadable if it has neither title nor key."""
        item = {**item, "_payload": self._payload} if isinstance(item, dict) else item
        before = len(self.problems)
        state = self._read_state(item)
        if state == "ignored":
            return None
        title = read_line(self._look_up("title", item))
        key = read_key(self._look_up("fingerprint", item))
        if not title and not key:
            why = self._explain_since(before, "nothing is there")
            raise Unreadable(f"alert {number + 1} has neither a title nor a key: {why}", f"items[{number}]")
        return Signal(
            state=state,
            fingerprint=key or digest_of(title),
            title=title or read_line(key),
            group=read_key(self._look_up("group", item)),
            severity=self._read_severity(item),
            source=read_line(self._look_up("source", item)),
            description=read_text(self._look_up("description", item)),
            labels=self._read_labels(item),
            links=read_links((name, self._fill("links", text, item)) for name, text in self._settings.links.items()),
            started_at=read_time(self._look_up("started_at", item)),
            ended_at=read_time(self._look_up("ended_at", item)),
        )

    def _read_state(self, item: object) -> Literal["firing", "acknowledged", "resolved", "ignored"]:
        word = read_word(self._look_up("state", item))
        settings = self._settings
        if word in settings.ignored_when:
            return "ignored"
        if word in settings.resolved_when:
            return "resolved"
        if word in settings.acknowledged_when:
            return "acknowledged"
        if word and word not in settings.firing_when:
            self.complain("state", settings.state, f"“{word}” is in none of the lists, so it counts as firing")
        return "firing"

    def _read_severity(self, item: object) -> str:
        word = read_word(self._look_up("severity", item))
        return self._settings.severity_map.get(word, word)

    def _read_labels(self, item: object) -> dict[str, str]:
        labels: dict[str, object] = {}
        for name, text in self._settings.labels.items():
            value = self._fill("labels", text, item)
            if isinstance(value, dict):
                labels |= value
            elif value not in (None, ""):
                labels[name] = value
        return read_labels(labels)

    def _look_up(self, field: str, item: object) -> Any:
        text = getattr(self._settings, field)
        before = len(self.problems)
        value = self._fill(field, text, item)
        silent = before == len(self.problems) and field in self._settings.model_fields_set
        if text and value in (None, "") and silent:
            self.complain(field, text, "finds nothing in this payload")
        return value

    def _explain_since(self, start: int, otherwise: str) -> str:
        return self.problems[start].message if len(self.problems) > start else otherwise

    def _fill(self, field: str, text: str, item: object) -> Any:
        try:
            return read_template(text).fill(item, self._budget)
        except TooMuchWork as failure:
            raise Unreadable(failure.message, field) from failure
        except BadTemplate as failure:
            self.complain(field, failure.expression or text, failure.message)
            return None


EXAMPLES = (
    Example(
        title="The plain names, nothing set",
        payload={
            "title": "Backup of the shop failed",
            "status": "firing",
            "key": "backup/shop",
            "severity": "Error",
            "source": "backup-1",
            "labels": {"team": "blue"},
            "url": "https://wiki.example.org/runbooks/backup",
            "timestamp": 1795161600,
        },
        gives=(("firing", "backup/shop", "Backup of the shop failed", "error"),),
    ),
    Example(
        title="The same, over",
        payload={"title": "Backup of the shop worked again", "status": "OK", "key": "backup/shop"},
        gives=(("resolved", "backup/shop", "Backup of the shop worked again", ""),),
    ),
    Example(
        title="A check that tells its state by a number, in the shape of Uptime Kuma's webhook",
        payload={
            "heartbeat": {"monitorID": 7, "status": 0, "time": "2026-11-20 08:10:11.512", "msg": "timeout of 48000ms"},
            "monitor": {"id": 7, "name": "Shop front page", "url": "https://shop.example.org/", "type": "http"},
            "msg": "[Shop front page] [Down] timeout of 48000ms",
        },
        settings={
            "title": "{{ monitor.name }}: {{ heartbeat.msg }}",
            "fingerprint": "monitor {{ monitor.id }}",
            "state": "{{ heartbeat.status }}",
            "firing_when": ["0"],
            "resolved_when": ["1"],
            "ignored_when": ["2", "3"],
            "severity": "critical",
            "description": "{{ msg }}",
            "links": {"Page": "{{ monitor.url }}"},
            "started_at": "{{ heartbeat.time }}",
        },
        gives=(("firing", "monitor 7", "Shop front page: timeout of 48000ms", "critical"),),
    ),
    Example(
        title="A list within, with the site outside of it",
        payload={
            "site": "north",
            "events": [
                {"node": "sw-1", "port": 4, "what": "link down", "prio": "P1", "cleared": False},
                {"node": "sw-1", "port": 5, "what": "link down", "prio": "P3", "cleared": True},
            ],
        },
        settings={
            "items": "{{ events }}",
            "title": "{{ what }} on {{ node }} port {{ port }} ({{ _payload.site }})",
            "fingerprint": "{{ _payload.site }}/{{ node }}/{{ port }}/{{ what }}",
            "state": "{{ cleared }}",
            "firing_when": ["false"],
            "resolved_when": ["true"],
            "severity": "{{ prio }}",
            "severity_map": {"P1": "critical", "P3": "warning"},
            "group": "{{ _payload.site }}/{{ node }}",
            "labels": {"port": "{{ port }}"},
        },
        gives=(
            ("firing", "north/sw-1/4/link down", "link down on sw-1 port 4 (north)", "critical"),
            ("resolved", "north/sw-1/5/link down", "link down on sw-1 port 5 (north)", "warning"),
        ),
    ),
)
