"""The demo's own page; it has an address only where a demo is served (WATCHBILL_DEMO=1, which `watchbill demo` sets)."""

from __future__ import annotations

import os

from django.urls import URLPattern

from watchbill.entry.demo import mailbox_page

URLS: tuple[URLPattern, ...] = mailbox_page.URLS if os.environ.get("WATCHBILL_DEMO") == "1" else ()
