"""What a query finds, against plain Python over the same tickets; and lists that go on by key."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.world import World
from watchbill.actions import support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.core.queries import Ago, All, Among, Compare, Condition, Empty, Not, Some, Special
from watchbill.db.desk_search import search_requests, search_tickets
from watchbill.db.models import SupportRequest, Ticket
from watchbill.db.queries import REQUESTS, TICKETS, Key, Reader, keys_of, narrow, page_of
from watchbill.kit.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)
STAGES = ("to_do", "in_progress", "waiting", "done")


def make_tickets(world: World) -> list[Ticket]:
    """Forty tickets that differ in everything a query may ask for."""
    people = [None, world.ana, world.ben]
    made = []
    for n in range(40):
        labels = (("operations",), ("feature", "Été"), (), ("x",))[n % 4]
        more = {"due_on": date(2026, 3, 1) + timedelta(days=n) if n % 3 else None}
        written = Written(
            f"Disk number {n}", "full of logs" if n % 5 else "empty", ("task", "epic", "investigation")[n % 3], labels,
            None if n % 4 == 0 else n % 7, world.service if n % 2 else None, assignee=people[n % 3], more=more,
        )  # fmt: skip
        ticket = tickets.add_ticket(world.team, written, world.ana, world.now + timedelta(hours=n))
        if n % 5 == 1:
            ticket = tickets.move(ticket.pk, STAGES[1 + n % 3], world.ana, world.now + timedelta(hours=n + 1))
        made.append(ticket)
    return made


def reader(world: World) -> Reader:
    return Reader(world.ana.pk, "Europe/London", world.now + timedelta(days=3), frozenset({"engineer"}))


def find(world: World, text: str) -> set[int]:
    rows = narrow(Ticket.objects.filter(team=world.team), TICKETS.read(text), TICKETS, reader(world))
    return set(rows.values_list("pk", flat=True))


def holds(ticket: Ticket, condition: Condition, reader: Reader) -> bool:
    """The oracle: the condition looked at on one ticket, without a database."""
    match condition:
        case All(parts):
            return all(holds(ticket, part, reader) for part in parts)
        case Some(parts):
            return any(holds(ticket, part, reader) for part in parts)
        case Not(part):
            return not holds(ticket, part, reader)
        case Among(field, values, negated):
            return any(holds(ticket, Compare(field, "=", value), reader) for value in values) != negated
        case Empty(field, negated):
            return (value_of(ticket, field) in (None, "", [])) != negated
        case Compare(field, operator, value):
            return compare(value_of(ticket, field), operator, resolve(value, reader))
    raise AssertionError(condition)


def resolve(value: object, reader: Reader) -> object:
    match value:
        case Special("me"):
            return reader.person
        case Special("today"):
            return reader.now.date()
        case Ago(length):
            return (reader.now - length).date()
        case _:
            return value


def value_of(ticket: Ticket, field: str) -> object:
    return {
        "stage": ticket.stage,
        "kind": ticket.kind,
        "points": ticket.points,
        "label": ticket.labels,
        "assignee": ticket.assignee_id,
        "due": ticket.due_on,
        "service": ticket.service.slug if ticket.service else None,
    }[field]


def compare(found: object, operator: str, value: object) -> bool:
    if isinstance(found, list):
        return (str(value).lower() in [label.lower() for label in found]) == (operator == "=")
    match operator:
        case "=":
            return found is not None and found == value
        case "!=":
            return found is None or found != value
        case _ if found is None:
            return False
        case "<":
            return found < value  # type: ignore[operator, no-any-return]
        case "<=":
            return found <= value  # type: ignore[operator, no-any-return]
        case ">":
            return found > value  # type: ignore[operator, no-any-return]
    return found >= value  # type: ignore[operator, no-any-return]


SIMPLE = st.one_of(
    st.builds("stage {} {}".format, st.sampled_from(["=", "!="]), st.sampled_from(STAGES)),
    st.builds("kind in ({}, {})".format, st.sampled_from(["task", "epic"]), st.sampled_from(["epic", "tracking"])),
    st.builds("kind not in ({})".format, st.sampled_from(["task", "epic"])),
    st.builds("points {} {}".format, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), st.integers(0, 7)),
    st.builds("due {} {}".format, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
              st.sampled_from(["2026-03-09", "today", "5d", "-1d"])),
    st.builds("label {} {}".format, st.sampled_from(["=", "!="]), st.sampled_from(["operations", "FEATURE", "x", '"Été"'])),
    st.builds("{} is {}".format, st.sampled_from(["points", "due", "assignee", "label", "service"]),
              st.sampled_from(["empty", "not empty"])),
    st.sampled_from(["assignee = me", "assignee != me", "service = checkout", "service != checkout"]),
)  # fmt: skip
QUERIES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)


def test_a_query_finds_what_plain_python_finds(world: World) -> None:
    """BKL-09, BKL-10: every operator, and what holds nothing is neither lost nor found by accident."""
    made = [Ticket.objects.select_related("service").get(pk=ticket.pk) for ticket in make_tickets(world)]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(QUERIES)
    def check(text: str) -> None:
        condition = TICKETS.read(text).condition
        assert condition is not None
        assert find(world, text) == {ticket.pk for ticket in made if holds(ticket, condition, reader(world))}, text

    check()


def test_times_are_days_in_the_readers_zone(world: World) -> None:
    make_tickets(world)
    everything = find(world, "")
    assert find(world, "created = 2026-03-03") == find(world, "created >= 2026-03-03 and created <= 2026-03-03")
    assert find(world, "created < 2026-03-04") | find(world, "created >= 2026-03-04") == everything
    assert find(world, "created > 2026-03-03") == find(world, "created >= 2026-03-04")
    assert find(world, "created > -2d") == set(
        Ticket.objects.filter(created_at__gt=reader(world).now - timedelta(days=2)).values_list("pk", flat=True)
    )


def test_words_are_found_in_titles_texts_and_what_was_written_later(world: World) -> None:
    """TRI-01: an answer is found again by its words."""
    made = make_tickets(world)
    assert find(world, 'text ~ "disk full"') == {t.pk for t in made if t.text.startswith("full")}
    tickets.comment(made[3].pk, "It was the zebra process.", world.ana, world.now)
    assert find(world, "text ~ zebra") == {made[3].pk}
    assert find(world, "text ~ zeb") == {made[3].pk}
    tickets.change_ticket(made[3].pk, {"title": "Giraffe 3"}, world.ana, world.now)
    assert find(world, "text ~ giraffe") == find(world, 'text ~ "giraffe zebra"') == {made[3].pk}
    assert made[3].pk not in find(world, "text ~ number")
    assert find(world, "text !~ giraffe") == {t.pk for t in made} - {made[3].pk}
    assert not search_tickets(Ticket.objects.all(), " ,;").exists()


def test_requests_are_asked_in_the_same_language(world: World) -> None:
    ria = Asker("Ria", "ria@example.net")
    first = support.open_request(
        world.team, ria, Asked("Slow notebooks", "Since noon", service=world.service), world.now
    )
    second = support.open_request(world.team, ria, Asked("A question"), world.now)
    support.take(second.pk, world.ana, world.now)
    support.answer(second.pk, "Ask the walrus.", world.ana, world.now)

    def found(text: str) -> list[int]:
        rows = narrow(SupportRequest.objects.all(), REQUESTS.read(text), REQUESTS, reader(world))
        return list(rows.order_by("pk").values_list("pk", flat=True))

    assert found("waits_on = requester") == found("assignee = me") == found("text ~ walrus") == [second.pk]
    assert found("state = open and service = checkout") == found("assignee is empty") == [first.pk]
    assert found('requester ~ "ria" and late = no and key in (R-0, R-1)') == [
        p for p in (0, 1) if p in (first.pk, second.pk)
    ]
    assert list(search_requests(SupportRequest.objects.all(), "noteb")) == [first]


@pytest.mark.parametrize(
    "text", ["", "order by due", "order by due desc", "order by points, created desc", "order by assignee"]
)
def test_a_list_goes_on_after_its_last_row(world: World, text: str) -> None:
    """Every row once, in one order, whatever holds nothing and whatever is equal."""
    make_tickets(world)
    keys = keys_of(TICKETS.read(text), TICKETS, [Key("rank", nullable=False), Key("due_on")])
    rows = Ticket.objects.filter(team=world.team).select_related("assignee")
    whole, end = page_of(rows, keys, "", 100)
    assert end == ""
    mark, seen = "", []
    for _ in range(20):
        part, mark = page_of(rows, keys, mark, 7)
        seen += part
        if not mark:
            break
    assert seen == whole
    assert len({ticket.pk for ticket in seen}) == 40
    with pytest.raises(Refused):
        page_of(rows, keys, "nonsense", 7)
