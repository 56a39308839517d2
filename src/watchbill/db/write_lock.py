"""The one write lock of a process that uses SQLite.

SQLite lets one transaction write at a time. Left to its busy handler, a thread may starve past the timeout
under load and die with "database is locked" (seen with 8 writers); queueing in the process is fair and
faster. Django's connections take it around every transaction, the intake's own connection around its batch.
"""

from threading import RLock

WRITE_LOCK = RLock()
