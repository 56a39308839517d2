"""Run every bench, one after the other: `python -m bench`. `--quick` shortens those that can be shortened.

Nothing here passes or fails by a time; the exit status is 1 when a row was missing or a request was refused.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHES = ("intake", "processing", "delivery", "who", "now_page", "desk", "status")
QUICK = {
    "processing": ["--size", "2000"],
    "delivery": ["--size", "10", "--seconds", "3"],
    "who": ["--size", "100"],
    "now_page": ["--size", "50000", "--requests", "30"],
    "desk": ["--size", "50000", "--requests", "30", "--import", "2000"],
    "status": ["--seconds", "3"],
}


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for, each in a process of its own; gives 1 when one of them found something wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []], help=f"which (default: all): {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, a minute or two in all")
    given = parser.parse_args(argv)
    bad = 0
    for name in given.bench or BENCHES:
        print(f"\n== {name} ==", flush=True)
        options = QUICK.get(name, []) if given.quick else []
        bad += (
            subprocess.run([sys.executable, "-W", "ignore", "-m", f"bench.{name}", *options], check=False).returncode
            != 0
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
