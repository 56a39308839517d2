"""Use cases, one module per domain; the only code that writes: load, decide, carry out, in one transaction."""
