"""A status page at 2,000 requests a second on loopback while its incident is written, beside an ASGI application that does nothing.

One server process as people run it (without a worker), one load process with so many connections that asks at a fixed rate, whether
or not the answers keep up; the time of an answer is counted from when it was due. Meanwhile a thread of the server writes public
updates through the actions. An answer that is neither 200 nor 304, or an update that the page does not show, ends with status 1.
Both processes share the machine: the load costs as much as the answers.
"""

from __future__ import annotations

import sys

from bench.ground import arguments, chosen, measure


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for."""
    parser = arguments(__doc__, 2_000, "requests a second")
    parser.add_argument("--seconds", type=int, default=10, help="of each run (default 10)")
    given = parser.parse_args(argv)
    options = ["--size", str(given.size), "--seconds", str(given.seconds)]
    return max(measure("status", database, options) for database in chosen(given.database))


if __name__ == "__main__":
    sys.exit(main())
