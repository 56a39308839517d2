"""The web door: server-rendered pages, live without reload."""
