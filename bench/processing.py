"""From `Inbox` to grouped alerts and opened pages, in one worker: signals a second. Goal: 2,000.

Four mixes, each on an empty instance: one service with many groups; a hundred services; a storm of one key;
notifications of a hundred alerts each, that fire and resolve. Pages are opened and their messages planned, but
nothing is sent. Afterwards every alert, group, page and inbox row is counted; a wrong count ends with status 1.
"""

from __future__ import annotations

import sys

from bench.ground import arguments, chosen, measure


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for; gives 0 when every row was right."""
    parser = arguments(__doc__, 10_000, "signals of each mix")
    parser.add_argument("--profile", action="store_true", help="show where the first mix spends its time")
    given = parser.parse_args(argv)
    options = ["--size", str(given.size), *(["--profile"] if given.profile else [])]
    return max(measure("processing", database, options) for database in chosen(given.database))


if __name__ == "__main__":
    sys.exit(main())
