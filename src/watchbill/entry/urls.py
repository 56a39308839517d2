"""Every address that Django serves; the intake, the live stream and the probes answer in front of it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from watchbill.entry.api import door
from watchbill.entry.chat import door as chat_door
from watchbill.entry.web.routes import routes

urlpatterns: list[URLPattern | URLResolver] = [
    *door.routes(),
    *chat_door.URLS,
    *routes(),  # before allauth's, because some of ours stand in front of its own
    path("accounts/", include("allauth.urls")),
]
