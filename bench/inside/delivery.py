"""Makes the instance of `bench.delivery`: prints the keys of its services, one a line.

Ten services page the one who is on watch; with an argument, so many services page one person each.
"""

from __future__ import annotations

import sys

from bench.inside import cast
from watchbill.actions import ladders
from watchbill.db.models import Membership, MonitorConnection
from watchbill.entry import clock


def spread(ways: list[MonitorConnection]) -> None:
    """Give each service a ladder that pages one person of its own."""
    members = Membership.objects.select_related("person", "team").order_by("id")
    for way, member in zip(ways, members, strict=True):
        steps = [{"targets": [f"person:{member.person_id}"], "wait_minutes": 5}]
        ladder = ladders.add_ladder(member.team, f"to {member.person}", steps, 1, members[0].person, clock.now())
        way.service.ladder = ladder
        way.service.save(update_fields=["ladder"])


def main(people: int) -> None:
    """Build it and print the keys."""
    ways = cast.build(people if people > 1 else 10, people=max(people, 4), now=clock.now())
    if people > 1:
        spread(ways)
    for way in ways:
        print(way.key)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
