"""Makes the instance of `bench.delivery`: prints the keys of ten services, one a line."""

from __future__ import annotations

from bench.inside import cast
from watchbill.entry import clock

if __name__ == "__main__":
    for way in cast.build(10, now=clock.now()):
        print(way.key)
