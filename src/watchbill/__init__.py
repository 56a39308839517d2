"""Watchbill runs an operations team: who is on watch, what reached them, what they did about it."""

__version__ = "0.1.0"
