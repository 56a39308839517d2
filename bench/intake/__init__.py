"""Figures of the door: durable accepts beside what costs nothing, a plain Django view, and Alertmanager."""
