"""Connectors against real servers on the loopback that answer as the vendors document it."""
