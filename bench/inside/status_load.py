"""The load of `bench.status`, in a process of its own: asks at a fixed rate over kept connections, prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from time import perf_counter

CONNECTIONS = 32


async def main(port: int, path: str, rate: int, seconds: int, etag: str) -> None:
    """Ask `rate` times a second; each answer's time begins when its request was due."""
    head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n"
    head += f"If-None-Match: {etag}\r\n\r\n" if etag else "\r\n"
    request, total = head.encode(), rate * seconds
    numbers = iter(range(total))
    begun = perf_counter()
    seen: Counter[str] = Counter()
    times: list[float] = []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            due = begun + number / rate
            if (wait := due - perf_counter()) > 0:
                await asyncio.sleep(wait)
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if lengths and b" 304 " not in answer[:16]:
                await reader.readexactly(int(lengths[0].split(b":")[1]))
            times.append(perf_counter() - due)
            seen[answer[9:12].decode()] += 1
        writer.close()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    took = perf_counter() - begun
    times.sort()
    said = {"rate": total / took, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "seen": seen}
    print(json.dumps(said))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
