"""Reads for pages: what one screen needs, in few queries, never a count of a whole table."""
