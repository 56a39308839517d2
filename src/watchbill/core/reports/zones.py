"""Names of time zones that people and tools write, as IANA names.

The names of the Rails family (PagerDuty, GitHub and others offer them in their settings) are the facts of
`ActiveSupport::TimeZone::MAPPING`, in activesupport/lib/active_support/values/time_zone.rb of Ruby on Rails. The short
names are those of the tz database; some of them belong to several places, and then the guess is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchbill.core.wallclock import check_zone
from watchbill.kit.errors import Refused

_RAILS = """
International Date Line West=Etc/GMT+12 | Midway Island=Pacific/Midway | American Samoa=Pacific/Pago_Pago
Hawaii=Pacific/Honolulu | Alaska=America/Juneau | Pacific Time (US & Canada)=America/Los_Angeles
Tijuana=America/Tijuana | Mountain Time (US & Canada)=America/Denver | Arizona=America/Phoenix
Chihuahua=America/Chihuahua | Mazatlan=America/Mazatlan | Central Time (US & Canada)=America/Chicago
Saskatchewan=America/Regina | Guadalajara=America/Mexico_City | Mexico City=America/Mexico_City
Monterrey=America/Monterrey | Central America=America/Guatemala | Eastern Time (US & Canada)=America/New_York
Indiana (East)=America/Indiana/Indianapolis | Bogota=America/Bogota | Lima=America/Lima | Quito=America/Lima
Atlantic Time (Canada)=America/Halifax | Caracas=America/Caracas | La Paz=America/La_Paz | Santiago=America/Santiago
Asuncion=America/Asuncion | Newfoundland=America/St_Johns | Brasilia=America/Sao_Paulo
Buenos Aires=America/Argentina/Buenos_Aires | Montevideo=America/Montevideo | Georgetown=America/Guyana
Puerto Rico=America/Puerto_Rico | Greenland=America/Nuuk | Mid-Atlantic=Atlantic/South_Georgia | Azores=Atlantic/Azores
Cape Verde Is.=Atlantic/Cape_Verde | Dublin=Europe/Dublin | Edinburgh=Europe/London | Lisbon=Europe/Lisbon
London=Europe/London | Casablanca=Africa/Casablanca | Monrovia=Africa/Monrovia | UTC=Etc/UTC
Belgrade=Europe/Belgrade | Bratislava=Europe/Bratislava | Budapest=Europe/Budapest | Ljubljana=Europe/Ljubljana
Prague=Europe/Prague | Sarajevo=Europe/Sarajevo | Skopje=Europe/Skopje | Warsaw=Europe/Warsaw | Zagreb=Europe/Zagreb
Brussels=Europe/Brussels | Copenhagen=Europe/Copenhagen | Madrid=Europe/Madrid | Paris=Europe/Paris
Amsterdam=Europe/Amsterdam | Berlin=Europe/Berlin | Bern=Europe/Zurich | Zurich=Europe/Zurich | Rome=Europe/Rome
Stockholm=Europe/Stockholm | Vienna=Europe/Vienna | West Central Africa=Africa/Algiers | Bucharest=Europe/Bucharest
Cairo=Africa/Cairo | Helsinki=Europe/Helsinki | Kyiv=Europe/Kiev | Riga=Europe/Riga | Sofia=Europe/Sofia
Tallinn=Europe/Tallinn | Vilnius=Europe/Vilnius | Athens=Europe/Athens | Istanbul=Europe/Istanbul
Minsk=Europe/Minsk | Jerusalem=Asia/Jerusalem | Harare=Africa/Harare | Pretoria=Africa/Johannesburg
Kaliningrad=Europe/Kaliningrad | Moscow=Europe/Moscow | St. Petersburg=Europe/Moscow | Volgograd=Europe/Volgograd
Samara=Europe/Samara | Kuwait=Asia/Kuwait | Riyadh=Asia/Riyadh | Nairobi=Africa/Nairobi | Baghdad=Asia/Baghdad
Tehran=Asia/Tehran | Abu Dhabi=Asia/Muscat | Muscat=Asia/Muscat | Baku=Asia/Baku | Tbilisi=Asia/Tbilisi
Yerevan=Asia/Yerevan | Kabul=Asia/Kabul | Ekaterinburg=Asia/Yekaterinburg | Islamabad=Asia/Karachi
Karachi=Asia/Karachi | Tashkent=Asia/Tashkent | Chennai=Asia/Kolkata | Kolkata=Asia/Kolkata | Mumbai=Asia/Kolkata
New Delhi=Asia/Kolkata | Kathmandu=Asia/Kathmandu | Dhaka=Asia/Dhaka | Sri Jayawardenepura=Asia/Colombo
Almaty=Asia/Almaty | Astana=Asia/Almaty | Novosibirsk=Asia/Novosibirsk | Rangoon=Asia/Rangoon | Bangkok=Asia/Bangkok
Hanoi=Asia/Bangkok | Jakarta=Asia/Jakarta | Krasnoyarsk=Asia/Krasnoyarsk | Beijing=Asia/Shanghai
Chongqing=Asia/Chongqing | Hong Kong=Asia/Hong_Kong | Urumqi=Asia/Urumqi | Kuala Lumpur=Asia/Kuala_Lumpur
Singapore=Asia/Singapore | Taipei=Asia/Taipei | Perth=Australia/Perth | Irkutsk=Asia/Irkutsk
Ulaanbaatar=Asia/Ulaanbaatar | Seoul=Asia/Seoul | Osaka=Asia/Tokyo | Sapporo=Asia/Tokyo | Tokyo=Asia/Tokyo
Yakutsk=Asia/Yakutsk | Darwin=Australia/Darwin | Adelaide=Australia/Adelaide | Canberra=Australia/Canberra
Melbourne=Australia/Melbourne | Sydney=Australia/Sydney | Brisbane=Australia/Brisbane | Hobart=Australia/Hobart
Vladivostok=Asia/Vladivostok | Guam=Pacific/Guam | Port Moresby=Pacific/Port_Moresby | Magadan=Asia/Magadan
Srednekolymsk=Asia/Srednekolymsk | Solomon Is.=Pacific/Guadalcanal | New Caledonia=Pacific/Noumea | Fiji=Pacific/Fiji
Kamchatka=Asia/Kamchatka | Marshall Is.=Pacific/Majuro | Auckland=Pacific/Auckland | Wellington=Pacific/Auckland
Nuku'alofa=Pacific/Tongatapu | Tokelau Is.=Pacific/Fakaofo | Chatham Is.=Pacific/Chatham | Samoa=Pacific/Apia
"""
_SHORT = """
Z=Etc/UTC | GMT=Etc/UTC | WET=Europe/Lisbon | WEST=Europe/Lisbon | CET=Europe/Paris | CEST=Europe/Paris
EET=Europe/Bucharest | EEST=Europe/Bucharest | MSK=Europe/Moscow | EST=America/New_York | EDT=America/New_York
ET=America/New_York | CDT=America/Chicago | CT=America/Chicago | MST=America/Denver | MDT=America/Denver
MT=America/Denver | PST=America/Los_Angeles | PDT=America/Los_Angeles | PT=America/Los_Angeles | JST=Asia/Tokyo
KST=Asia/Seoul | SGT=Asia/Singapore | HKT=Asia/Hong_Kong | AEST=Australia/Sydney | AEDT=Australia/Sydney
NZST=Pacific/Auckland | NZDT=Pacific/Auckland | SAST=Africa/Johannesburg | BRT=America/Sao_Paulo
IST=Asia/Kolkata | BST=Europe/London | CST=America/Chicago
"""
_SEVERAL = {
    "IST": "IST is India's time, Ireland's and Israel's; read as India's",
    "BST": "BST is British Summer Time and Bangladesh's; read as the British",
    "CST": "CST is Central time in America and China's; read as the American",
}
_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+\-−–])\s*0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def _table(rows: str) -> dict[str, str]:
    pairs = (pair.rpartition("=") for line in rows.strip().split("\n") for pair in line.split(" | "))
    return {name.strip().casefold(): zone.strip() for name, _, zone in pairs}


RAILS, SHORT = _table(_RAILS), _table(_SHORT)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone that was understood; `guess` says what was guessed, "" when nothing was."""

    iana: str
    guess: str = ""


def zone_named(name: str) -> Zone | None:
    """Understand the name of a zone: Rails style (`Bucharest`), short (`EDT`), `UTC+1` or IANA; None when it is none."""
    name = " ".join(name.split()).strip(" .")
    known = RAILS.get(name.casefold()) or SHORT.get(name.casefold())
    if known:
        return Zone(known, _SEVERAL.get(name.upper(), ""))
    if offset := _OFFSET.fullmatch(name):
        return _fixed(offset[1], int(offset[2]))
    # Some tools list places that share a clock in one name: "Edinburgh, London".
    shared = {RAILS.get(part.strip().casefold(), "") for part in name.split(",")}
    if len(shared) == 1 and (zone := shared.pop()):
        return Zone(zone)
    return _iana(name)


def _fixed(sign: str, hours: int) -> Zone | None:
    if hours == 0:
        return Zone("Etc/UTC")
    # The names of Etc have the sign of POSIX, which is the other one: east of Greenwich is minus.
    return _iana(f"Etc/GMT{'-' if sign == '+' else '+'}{hours}")


def _iana(name: str) -> Zone | None:
    if "/" not in name:
        return None
    try:
        return Zone(check_zone(name))
    except Refused:
        return None
