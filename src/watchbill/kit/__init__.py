"""Plain tools that know nothing of us: effects, errors, plugin discovery, spans of time."""
