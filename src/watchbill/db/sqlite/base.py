"""Django's SQLite backend with a process-wide queue in front of every transaction."""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base

from watchbill.db.write_lock import WRITE_LOCK


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes the write lock from BEGIN IMMEDIATE to COMMIT or ROLLBACK; a read outside a transaction never waits."""

    _holds_lock = False

    def _take_lock(self) -> None:
        if not self._holds_lock:
            WRITE_LOCK.acquire()
            self._holds_lock = True

    def _leave_lock(self) -> None:
        if self._holds_lock:
            self._holds_lock = False
            WRITE_LOCK.release()

    def _start_transaction_under_autocommit(self) -> None:
        self._take_lock()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_lock()
            raise

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if autocommit:
            self._leave_lock()

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            self._leave_lock()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_lock()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._leave_lock()
