"""Now and Alerts with a million alerts behind them: how long Django's handler takes, without the network. Goal: p50 < 50 ms.

The past is written straight into the tables, 200 open alerts and their pages through the engine. Each page is asked
for with everything a browser would cost the server: session, permissions, template. A page that is not 200, or
a count of rows that is not what was written, ends with status 1. Writing the past takes most of the time.
"""

from __future__ import annotations

import sys

from bench.ground import arguments, chosen, measure


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for."""
    parser = arguments(__doc__, 1_000_000, "alerts behind the pages")
    parser.add_argument("--requests", type=int, default=100, help="of each page (default 100)")
    given = parser.parse_args(argv)
    options = ["--size", str(given.size), "--requests", str(given.requests)]
    return max(measure("now_page", database, options) for database in chosen(given.database))


if __name__ == "__main__":
    sys.exit(main())
