"""What the tests of connectors share: settings of every connector whose system is at one address."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

SECRET = "a webhook secret"
APP_KEY = rsa.generate_private_key(65537, 2048)
PEM = APP_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

# The file that Google hands out for a key of a service account, in its documented shape.
KEY_FILE = {
    "type": "service_account",
    "project_id": "example-watch",
    "private_key_id": "0f1e",
    "private_key": PEM,
    "client_email": "watchbill@example-watch.iam.gserviceaccount.com",
    "client_id": "104",
    "token_uri": "https://oauth2.googleapis.com/token",
}


def settings_for(name: str, url: str) -> dict[str, Any]:
    """Give what a person would enter for a system at `url` (without a slash at its end)."""
    known: dict[str, dict[str, Any]] = {
        "jira": {
            "url": url,
            "flavour": "cloud",
            "email": "robot@example.org",
            "token": "tk_secret_token",
            "project": "OPS",
            "webhook_secret": SECRET,
        },
        "github": {
            "api": url,
            "repository": "example/infrastructure",
            "token": "tk_secret_token",
            "webhook_secret": SECRET,
        },
        "gitlab": {
            "url": url,
            "project": "example/infrastructure",
            "token": "tk_secret_token",
            "webhook_secret": SECRET,
        },
        "slack": {"api": url, "token": "xoxb-secret-token", "signing_secret": SECRET},
        "mattermost": {
            "url": url,
            "token": "tk_secret_token",
            "command_token": "a command token",
            "webhook_token": SECRET,
        },
        "matrix": {
            "url": url,
            "user": "@watchbill:example.org",
            "as_token": "tk_secret_token",
            "hs_token": SECRET,
        },
        "confluence": {
            "url": url,
            "email": "robot@example.org",
            "token": "tk_secret_token",
            "space": "OPS",
            "parent": "77",
        },
        "zoom": {
            "api": url,
            "auth": url,
            "account": "ac-1",
            "client_id": "client_1",
            "client_secret": "tk_secret_token",
        },
        "google_meet": {"api": url, "auth": url, "user": "bridge@example.org", "key_file": json.dumps(KEY_FILE)},
        "freshdesk": {"url": url, "api_key": "tk_secret_token", "webhook_secret": SECRET},
    }
    return known[name]
