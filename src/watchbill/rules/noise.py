"""What becomes of the monitoring's mail, budget alerts and spam before anybody is told (DUT-19, INT-08).

Nothing is dropped: spam is a closed request that is listed, and can be opened again.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import re2
from pydantic import AfterValidator, BaseModel, Field, model_validator

from watchbill.core.alerts import QUIETLY
from watchbill.rules import Chosen

TITLE = "What do we not want to be told of?"

Act = Literal["drop_as_spam", "log_and_close", "class", "attach_to_service"]


def _check_pattern(pattern: str) -> str:
    try:
        re2.compile(f"(?i){pattern}", QUIETLY)
    except re2.error as error:
        words = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"“{pattern}” is no pattern: {words}") from None
    return pattern


Pattern = Annotated[str, Field(max_length=500), AfterValidator(_check_pattern)]


class Line(Chosen):
    """When all patterns that are given are found, in any case of letters, this is done."""

    sender: Pattern = Field("", description="A pattern found in the sender's address; empty: any.")
    subject: Pattern = Field("", description="A pattern found in the subject; empty: any.")
    text: Pattern = Field("", description="A pattern found in the text; empty: any.")
    act: Act = Field(description="Drop it as spam, log and close it, give it a class, or attach it to a service.")
    value: str = Field("", max_length=80, description="The class, or the service's name for addresses.")

    @model_validator(mode="after")
    def _says_when_and_what(self) -> Line:
        if not (self.sender or self.subject or self.text):
            raise ValueError("give at least one pattern: without one it would meet everything")
        if self.act in {"class", "attach_to_service"} and not self.value:
            raise ValueError(f"say which: {'a class' if self.act == 'class' else 'a service'}")
        return self

    def holds(self, sender: str, subject: str, text: str) -> bool:
        """Tell whether every pattern that is given is found."""
        pairs = ((self.sender, sender), (self.subject, subject), (self.text, text))
        return all(re2.search(f"(?i){pattern}", given, QUIETLY) for pattern, given in pairs if pattern)


class Settings(Chosen):
    """In order: a class and a service are taken from the first line that gives one, an end from the first that ends it."""

    lines: list[Line] = Field(default_factory=list, max_length=200, description="The first line that matches decides.")


class Decision(BaseModel):
    """What becomes of it: `ends` it at once as spam or logged, "" when it is a request; its class and service; why."""

    ends: Literal["", "drop_as_spam", "log_and_close"] = ""
    request_class: str = ""
    service: str = ""
    why: str = ""


def decide(sender: str, subject: str, text: str, settings: Settings) -> Decision:
    """Decide what becomes of a mail or a request before anybody is told."""
    found = Decision()
    reasons = []
    for number, line in enumerate(settings.lines, 1):
        if found.ends or not line.holds(sender, subject, text):
            continue
        if line.act == "class" and not found.request_class:
            found.request_class = line.value
        elif line.act == "attach_to_service" and not found.service:
            found.service = line.value
        elif line.act in {"drop_as_spam", "log_and_close"}:
            found.ends = line.act
        else:
            continue
        reasons.append(f"line {number}: {line.act.replace('_', ' ')}{f' {line.value}' if line.value else ''}")
    found.why = "; ".join(reasons)
    return found


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "everything that comes in is a request"),
    (
        {
            "lines": [
                {"sender": "@budgets\\.", "act": "log_and_close"},
                {"subject": "^(win|claim) ", "text": "lottery", "act": "drop_as_spam"},
                {"subject": "vulnerability", "act": "class", "value": "incident_report"},
            ]
        },
        "budget alerts are logged and closed, the lottery is spam, vulnerabilities are incident reports",
    ),
)
