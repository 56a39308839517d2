"""The rota in words: who is on watch until when, who is next; instants as people say them."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from watchbill.db.models import Person
from watchbill.db.screens.rota import Standing
from watchbill.db.screens.strip import Piece, Row
from watchbill.entry.web.feed_urls import feed_url

register = template.Library()
NEAR_DAYS = 6


def say_when(at: datetime, now: datetime) -> str:
    """Say an instant in the reader's zone: the day by its name while that is clear, else with its date."""
    here, today = timezone.localtime(at), timezone.localtime(now).date()
    ahead = (here.date() - today).days
    if ahead in {0, 1}:
        return f"{'today' if ahead == 0 else 'tomorrow'} {here:%H:%M}"
    if 0 < ahead <= NEAR_DAYS:
        return f"{here:%A %H:%M}"
    year = "" if here.year == today.year else f" {here.year}"
    return f"{here:%a} {here.day} {here:%b}{year} {here:%H:%M}"


@register.simple_tag(takes_context=True)
def when(context: template.Context, at: datetime) -> SafeString:
    """Show an instant as people say it, with UTC on hover."""
    return _time(at, context["request"].now)


def _time(at: datetime, now: datetime) -> SafeString:
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.isoformat(),
        utc.strftime("%a %d %b %Y %H:%M"),
        say_when(at, now),
    )


@register.simple_tag(takes_context=True)
def standing_sentence(context: template.Context, standing: Standing) -> SafeString:
    """Answer who is on watch until when, and when it is the reader's turn."""
    reader: Person = context["request"].user
    now: datetime = context["request"].now
    team = standing.rotation.team
    serving = [(stand, stand.now) for stand in standing.seats if stand.now and stand.now.person]
    if standing.mine:
        said = format_html("You are on watch for {} until {}", team, _time(standing.mine.end, now))
        others = [(stand, watch) for stand, watch in serving if watch.person != reader.pk]
        if others:
            return format_html("{}, with {}.", said, _and([f"{w.name} as {s.seat.label}" for s, w in others]))
        return format_html("{}.", said)
    mine = standing.my_next
    my_turn = format_html("; you are next on {}", _time(mine.start, now)) if mine else SafeString("")
    if not serving:
        return format_html("Nobody is on watch for {} now{}.", team, _follows(standing, reader, now, my_turn))
    end = min(watch.end for _, watch in serving)
    if len(serving) == 1:
        names: str | SafeString = serving[0][1].name
    else:
        names = _and([f"{watch.name} ({stand.seat.label})" for stand, watch in serving])
    verb = "is" if len(serving) == 1 else "are"
    return format_html("{} {} on watch for {} until {}{}.", names, verb, team, _time(end, now), my_turn)


def _follows(standing: Standing, reader: Person, now: datetime, my_turn: SafeString) -> SafeString:
    coming = [watch for stand in standing.seats if (watch := stand.next) and watch.person]
    if not coming:
        return my_turn
    first = min(coming, key=lambda watch: watch.start)
    if standing.my_next and standing.my_next.start <= first.start:
        return format_html("; you take over {}", _time(standing.my_next.start, now))
    return format_html("; {} takes over {}{}", first.name, _time(first.start, now), my_turn)


def _and(parts: list[str]) -> SafeString:
    if len(parts) == 1:
        return format_html("{}", parts[0])
    return format_html("{} and {}", format_html_join(", ", "{}", ((part,) for part in parts[:-1])), parts[-1])


@register.inclusion_tag("rota/my_calendar.html", takes_context=True)
def my_calendar(context: template.Context) -> dict[str, str]:
    """Show the address of the reader's own calendar feed, with a button that copies it."""
    reader: Person = context["request"].user
    return {"url": feed_url("person", reader.pk, reader.feed_version)}


@register.simple_tag
def shifts_of_row(row: Row, brief: bool = False) -> SafeString:
    """Draw the shifts of one row of a strip; by hand, because a year has a thousand of them. `brief`: names alone."""
    return mark_safe("".join(_shift(piece, brief) for piece in row.pieces))  # noqa: S308 - each part is escaped


def _shift(piece: Piece, brief: bool) -> str:
    watch = piece.watch
    css = "shift" + " mine" * piece.mine + " gap" * (watch.person is None) + " swapped" * watch.is_override
    more = "" if brief else f'<span class="visually-hidden">, {piece.times}{", by override" * watch.is_override}</span>'
    tag, link = ("a", f' href="{escape(watch.address)}"') if watch.is_published else ("span", "")
    return (
        f'<{tag} class="{css}" style="{piece.place}" title="{escape(piece.title)}"{link}>'
        f'<span class="who">{escape(piece.label)}</span>{more}</{tag}>'
    )
