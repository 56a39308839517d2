"""The inbox and the board with a million tickets and requests behind them, and an import of 100,000 tickets.

Pages: how long Django's handler takes, without the network; goal: p50 < 50 ms. The past is written straight into the
tables, the open work through the actions. The import goes through the action that imports a tracker's issues, fed by
pages that stand in memory; its rows are counted afterwards, and a second import must make none.
"""

from __future__ import annotations

import sys

from bench.ground import arguments, chosen, measure


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for."""
    parser = arguments(__doc__, 1_000_000, "tickets, and as many requests, behind the pages")
    parser.add_argument("--requests", type=int, default=100, help="of each page (default 100)")
    parser.add_argument(
        "--import", dest="imported", type=int, default=100_000, help="tickets to import (default 100,000)"
    )
    given = parser.parse_args(argv)
    options = ["--size", str(given.size), "--requests", str(given.requests), "--import", str(given.imported)]
    return max(measure("desk", database, options) for database in chosen(given.database))


if __name__ == "__main__":
    sys.exit(main())
