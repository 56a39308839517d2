"""Log in once per machine: the address and a token, kept where only you can read them."""

from __future__ import annotations

import json
import os
from urllib.parse import urlsplit

import click

from watchbill.entry.cli.client import Api, Failed, config_path
from watchbill.entry.cli.show import Said, as_json, facts
from watchbill.entry.cli.times import show

HERE = {"127.0.0.1", "localhost", "::1"}


@click.command()
@click.option("--url", prompt="Address of Watchbill, such as https://watch.example.org", help="Where Watchbill is.")
@click.option("--token", prompt="Token (made under Me in the browser)", hide_input=True, help="A token of yours.")
@as_json
def login(url: str, token: str) -> Said:
    """Keep the address and a token for the commands on this machine.

    They are tried first, then written to ~/.config/watchbill/config.toml, readable by you alone. For one command or
    in a script set WATCHBILL_API_URL and WATCHBILL_TOKEN instead.
    """
    url, token = url.strip().rstrip("/"), token.strip()
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter("an address starts with https:// (or http://)", param_hint="--url")
    if not token.isascii() or not token.isprintable():
        raise click.BadParameter("this is no token: it looks like wb_…", param_hint="--token")
    if parts.scheme == "http" and parts.hostname not in HERE:
        click.echo("watchbill: without https:// anybody on the way can read your token", err=True)
    me = Api(url, token).get("/me")
    _write(url, token)
    shown = (("Logged in as", me["name"]), ("May", ", ".join(me["scopes"])), ("Until", show(me["token_expires_at"])))
    return Said(me, lambda: facts(shown))


def _write(url: str, token: str) -> None:
    path = config_path()
    text = f"url = {json.dumps(url)}\ntoken = {json.dumps(token)}\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error}") from None


@click.command()
def logout() -> None:
    """Revoke the token that `login` kept, and forget it."""
    api = Api()
    listed = [row for row in api.every("/me/tokens", 200) if api.headers["Authorization"][7:].startswith(row["prefix"])]
    for row in listed:
        api.call("DELETE", f"/me/tokens/{row['id']}")
    config_path().unlink(missing_ok=True)
    click.echo("Logged out." if listed else "Forgotten here; revoke the token under Me.")


@click.command()
@as_json
def me() -> Said:
    """Show who you are, your roles, and your next shifts."""
    api = Api()
    mine = api.get("/me")
    shifts = list(api.every("/me/shifts", 5))

    def shown() -> None:
        roles = ", ".join(f"{role['role']} of {role['team']['name']}" for role in mine["roles"])
        facts((("Name", mine["name"]), ("E-mail", mine["email"]), ("Zone", mine["zone"]), ("Roles", roles)))
        for shift in shifts:
            where = f"{shift['seat']} of {shift['rotation']['name']}"
            facts((("Shift", f"{show(shift['starts_at'])} to {show(shift['ends_at'])}, {where}"),))

    return Said({**mine, "shifts": shifts}, shown)
