"""A list as CSV, streamed row by row, however long; no cell is a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO

from django.http import StreamingHttpResponse


def stream_csv(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[object]], now: datetime
) -> StreamingHttpResponse:
    """Answer with a file `name`-2026-03-03.csv."""
    response = StreamingHttpResponse(_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{now:%Y-%m-%d}.csv"'
    return response


def _lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield ",".join(columns) + "\r\n"
    for cells in rows:
        buffer = StringIO()
        csv.writer(buffer).writerow([harmless(cell) for cell in cells])
        yield buffer.getvalue()


def instant(at: datetime | None) -> str:
    """Write an instant in UTC; nothing for none."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else ""


def harmless(cell: object) -> str:
    """Write a cell so that no spreadsheet takes it for a formula (OWASP, "CSV injection")."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
