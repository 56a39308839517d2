"""Public holidays, per team and per person, from the `holidays` library (plain tables, nothing is fetched).

A team's holidays close its coverage. A person's own holidays are absences, which a rotation heeds when its
`own_holidays` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

import holidays as library

from watchbill.core.rota.pattern import Absence
from watchbill.kit.errors import Refused


def public_holidays(country: str, subdivision: str, years: Iterable[int]) -> dict[date, str]:
    """Give the public holidays of a country (ISO 3166, "GB"), or of a part of it ("ENG"; "" for the whole).

    Names are in English where the library has them. Raises Refused naming `country` or `subdivision`.
    """
    found: dict[date, str] = {}
    for year in sorted(set(years)):
        found.update(_of_year(country.upper(), subdivision.upper(), year))
    return found


def known_countries() -> dict[str, list[str]]:
    """List the countries that have a calendar, each with its subdivisions, for a form."""
    return {code: list(parts) for code, parts in sorted(library.list_supported_countries().items())}


def holiday_absences(person: int, holidays: Mapping[date, str], zone: str = "") -> list[Absence]:
    """Turn a person's own holidays into absences, in their own zone ("" is the rotation's)."""
    return [Absence(person, day, day, name, zone, kind="holiday") for day, name in sorted(holidays.items())]


@lru_cache(maxsize=512)
def _of_year(country: str, subdivision: str, year: int) -> tuple[tuple[date, str], ...]:
    parts = library.list_supported_countries().get(country)
    if parts is None:
        raise Refused(f"no holiday calendar for {country!r}; use a country code such as GB", "country")
    if subdivision and subdivision not in parts:
        raise Refused(f"{country} has no part {subdivision!r}; known are {', '.join(parts) or 'none'}", "subdivision")
    calendar = library.country_holidays(country, subdiv=subdivision or None, years=year)
    if "en_US" in calendar.supported_languages:
        calendar = library.country_holidays(country, subdiv=subdivision or None, years=year, language="en_US")
    return tuple(sorted(calendar.items()))
