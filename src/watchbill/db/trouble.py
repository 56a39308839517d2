"""What an error of the database means: it is away, it is full, or it only will not do what it was asked."""

from __future__ import annotations

import sqlite3

from django.db import InterfaceError, OperationalError

# Classes of SQLSTATE that speak of the one transaction: it lost against another, asks too much, or waited too long.
OF_THE_WORK = ("40", "54", "55", "57014")
DISK_FULL = "53100"


def is_away(error: BaseException) -> bool:
    """Tell whether no other work would fare better now: the server does not answer, or the disk takes nothing."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not (asks_too_much(error) or _state(error).startswith(OF_THE_WORK))


def is_full(error: BaseException) -> bool:
    """Tell whether the disk is full. What only changes rows may still find room."""
    return _state(error) == DISK_FULL or _code(error) == sqlite3.SQLITE_FULL


def asks_too_much(error: BaseException) -> bool:
    """Tell whether what was asked is more than the database ever takes (too many values, too deep), at whatever time."""
    if not isinstance(error, OperationalError):
        return False
    return _state(error).startswith("54") or (_code(error) == sqlite3.SQLITE_ERROR and "too " in str(error))


def _state(error: BaseException) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def _code(error: BaseException) -> int:
    # The lower byte is the kind of error; the rest says more of it.
    return (getattr(error.__cause__, "sqlite_errorcode", None) or 0) & 0xFF
