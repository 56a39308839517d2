"""How requests, tickets and incidents are named in a terminal: R-12, T-34 and I-5, or the number alone where only one can be meant."""

from __future__ import annotations

import re

import click

from watchbill.entry.cli.client import Api, Failed

REFERENCE = re.compile(r"(?:([RTI])-?)?(\d{1,18})", re.IGNORECASE | re.ASCII)
KINDS = {"R": "request", "T": "ticket", "I": "incident"}


def number_of(text: str, letter: str) -> int:
    """Read R-12 or 12 as a request's number (letter R), T-34 as a ticket's (T), I-5 as an incident's (I); raises click.BadParameter."""
    found = REFERENCE.fullmatch(text)
    if found is None or (found[1] or letter).upper() != letter:
        raise click.BadParameter(f"“{text}” is no {KINDS[letter]}: write {letter}-12 or 12")
    return int(found[2])


def incident_number(text: str) -> int:
    """Read the argument that names an incident: I-5, or 5; raises click.BadParameter."""
    return number_of(text, "I")


def request_number(text: str) -> int:
    """Read what names a request: R-12, or 12; raises click.BadParameter."""
    return number_of(text, "R")


def ticket_number(text: str) -> int:
    """Read the argument that names a ticket: T-34, or 34; raises click.BadParameter."""
    return number_of(text, "T")


def path_of(text: str) -> str:
    """Give the path of R-12 or T-34, which need their letter here; raises click.BadParameter."""
    found = REFERENCE.fullmatch(text)
    if found is None or not found[1]:
        raise click.BadParameter(f"“{text}” may be either: write R-12 for a request or T-34 for a ticket")
    return f"/{KINDS[found[1].upper()]}s/{found[2]}"


def team_of(api: Api, slug: str) -> str:
    """Give the team that was named, or the only one there is; ends the command when there are more."""
    if slug:
        return slug
    teams = [team["slug"] for team in api.every("/teams", 20)]
    if len(teams) != 1:
        raise Failed(f"say which team with --team: {', '.join(teams)}" if teams else "you are in no team")
    return str(teams[0])
