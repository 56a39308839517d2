"""Who is on watch, over a thousand rotations: publishing a year of each, and asking in every way there is.

Each answer of the published rows is held against the one calculator (core/rota/turns) for a sample of rotations; a
difference ends with status 1. The documents name no goal here, so the figures stand alone.
"""

from __future__ import annotations

import sys

from bench.ground import arguments, chosen, measure


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for."""
    parser = arguments(__doc__, 1000, "rotations")
    given = parser.parse_args(argv)
    return max(measure("who", database, ["--size", str(given.size)]) for database in chosen(given.database))


if __name__ == "__main__":
    sys.exit(main())
