"""What the operator decides by environment: read once, checked loudly.

WATCHBILL_DATA            folder for the database, the secret and the lock (default ./data)
WATCHBILL_DATABASE_URL    postgresql://user:password@host/name; without it SQLite in WATCHBILL_DATA
WATCHBILL_URL             how people reach this instance, e.g. https://watch.example.org
WATCHBILL_ALLOW           addresses that may be called although they are private, e.g. 10.0.0.0/8,mail.corp
WATCHBILL_SMTP_URL        smtp://user:password@host:587/?from=watch@example.org (smtps:// for TLS at once)
WATCHBILL_IMAP_URL        imaps://user:password@host:993/?folder=INBOX, the mailbox of the desks (imap:// for STARTTLS)
WATCHBILL_HEARTBEAT_URL   called every minute while timers are on time
WATCHBILL_TRUST_PROXY     how many proxies in front set X-Forwarded-Proto and X-Forwarded-For: 1 for one
WATCHBILL_METRICS_TOKEN   when set, /metrics wants it as a bearer token
WATCHBILL_BUNDLE_SECONDS  pages that follow one to the same address so soon leave together (default 1; 0 to 60)
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Config:
    """The environment, read."""

    data: Path
    database_url: str
    url: str
    allow: str
    smtp_url: str
    heartbeat_url: str
    trust_proxy: int
    metrics_token: str
    bundle_window: timedelta

    @property
    def secret(self) -> str:
        """Give the instance's secret; nodes that share a database must share it (WATCHBILL_SECRET)."""
        return os.environ.get("WATCHBILL_SECRET") or self._kept("secret", secrets.token_urlsafe(48))

    @property
    def setup_code(self) -> str:
        """Give the code that claims a fresh instance at /welcome/."""
        return os.environ.get("WATCHBILL_SETUP_CODE") or self._kept("setup-code", f"{secrets.randbelow(10**8):08d}")

    def _kept(self, name: str, fresh: str) -> str:
        """Read a small secret of the data folder, made at the first start, readable by its owner alone."""
        path = self.data / name
        self.data.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(fresh)
        except FileExistsError:
            pass
        return path.read_text().strip()


def read_config() -> Config:
    """Read the environment; a value that cannot be right stops the program with its name."""
    url = os.environ.get("WATCHBILL_URL", "http://127.0.0.1:8000").rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise SystemExit(f"WATCHBILL_URL must start with http:// or https://, not {url!r}")
    return Config(
        data=Path(os.environ.get("WATCHBILL_DATA", "data")).resolve(),
        database_url=os.environ.get("WATCHBILL_DATABASE_URL", ""),
        url=url,
        allow=os.environ.get("WATCHBILL_ALLOW", ""),
        smtp_url=os.environ.get("WATCHBILL_SMTP_URL", ""),
        heartbeat_url=os.environ.get("WATCHBILL_HEARTBEAT_URL", ""),
        trust_proxy=_proxies(os.environ.get("WATCHBILL_TRUST_PROXY", "")),
        metrics_token=os.environ.get("WATCHBILL_METRICS_TOKEN", ""),
        bundle_window=_read_window(os.environ.get("WATCHBILL_BUNDLE_SECONDS", "1")),
    )


def _proxies(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise SystemExit(f"WATCHBILL_TRUST_PROXY is the number of proxies in front, such as 1, not {text!r}")
    return int(text or 0)


def _read_window(text: str) -> timedelta:
    try:
        window = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        window = timedelta(-1)
    if not timedelta() <= window <= timedelta(minutes=1):
        raise SystemExit(f"WATCHBILL_BUNDLE_SECONDS is a number from 0 to 60, not {text!r}")
    return window


def database(config: Config) -> dict[str, Any]:
    """Give Django's description of the database."""
    if not config.database_url:
        return {
            "ENGINE": "watchbill.db.sqlite",
            "NAME": str(config.data / "watchbill.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=16000;",
            },
        }
    parts = urlsplit(config.database_url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SystemExit(f"WATCHBILL_DATABASE_URL must start with postgresql://, not {parts.scheme!r}")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        # reconnect_timeout: the pause between two tries doubles for so long; with the default of five minutes a server
        # that is back after three would not be noticed for two more.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 24, "timeout": 10, "reconnect_timeout": 8}, **options},
    }


def channel_settings(config: Config) -> dict[str, dict[str, Any]]:
    """Give the channel settings that the environment decides; what it is silent about is set in the browser."""
    if not config.smtp_url:
        return {}
    parts = urlsplit(config.smtp_url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SystemExit("WATCHBILL_SMTP_URL looks like smtp://user:password@host:587/?from=watch@example.org")
    options = dict(parse_qsl(parts.query))
    security = "tls" if parts.scheme == "smtps" else options.get("security", "starttls" if parts.username else "none")
    email = {
        "host": parts.hostname,
        "port": parts.port or (465 if parts.scheme == "smtps" else 25),
        "security": security,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "sender": options.get("from", f"watchbill@{parts.hostname}"),
    }
    return {"email": email}


def mailbox_settings() -> dict[str, Any]:
    """Give the mailbox that desks read, when the environment names one; without it the browser does."""
    url = os.environ.get("WATCHBILL_IMAP_URL", "")
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in {"imap", "imaps"} or not (parts.hostname and parts.username):
        raise SystemExit("WATCHBILL_IMAP_URL looks like imaps://user:password@host:993/?folder=INBOX&move_to=Taken")
    options = dict(parse_qsl(parts.query))
    return {
        "host": parts.hostname,
        "port": parts.port or (993 if parts.scheme == "imaps" else 143),
        "security": "tls" if parts.scheme == "imaps" else options.get("security", "starttls"),
        "username": unquote(parts.username),
        "password": unquote(parts.password or ""),
        "folder": options.get("folder", "INBOX"),
        "move_to": options.get("move_to", ""),
    }
