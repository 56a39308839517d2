"""The pages: each domain's file lists its own addresses in URLS; a new file is found by its name."""

from __future__ import annotations

from django.urls import URLPattern

from watchbill.kit.plugins import find_plugins


def routes() -> list[URLPattern]:
    """Gather the addresses of every page module in `watchbill.entry.web.pages`."""
    return [url for module in find_plugins("watchbill.entry.web.pages").values() for url in getattr(module, "URLS", ())]
