"""SQLite as Watchbill uses it: one writer at a time, on disk before the answer."""
