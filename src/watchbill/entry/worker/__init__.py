"""The worker door."""
