"""The domains, pure: dataclasses and functions. No Django, no sockets, no clock; `now` is always an argument."""
