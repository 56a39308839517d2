"""Programs that print figures: `python -m bench` runs them all. Never timed tests; each checks its rows afterwards."""
