"""What makes the site an app: the manifest, and the service worker, which must stand at the root to serve every page."""

from __future__ import annotations

from pathlib import Path

from django.http import FileResponse, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.templatetags.static import static
from django.urls import path

WORKER = Path(__file__).parent.parent / "static" / "sw.js"


def manifest(request: HttpRequest) -> JsonResponse:
    """Describe the app to a browser that puts it on a home screen."""
    icons = [
        {"src": static(f"icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": "any maskable"}
        for size in (192, 512)
    ]
    described = {
        "name": "Watchbill",
        "short_name": "Watchbill",
        "description": "Who is on watch, what reached them, what they did about it.",
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#fbfaf7",
        "icons": [*icons, {"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(described, content_type="application/manifest+json")


def service_worker(request: HttpRequest) -> HttpResponseBase:
    """Give the service worker; a browser asks for it again on its own, so it is not to be kept."""
    response = FileResponse(WORKER.open("rb"), content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


URLS = (
    path("manifest.webmanifest", manifest, name="manifest"),
    path("sw.js", service_worker, name="service-worker"),
)
