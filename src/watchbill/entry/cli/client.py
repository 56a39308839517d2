"""The API as the command line calls it, from a person's own machine.

Where and as whom: WATCHBILL_API_URL and WATCHBILL_TOKEN, else what `watchbill login` wrote. What goes wrong ends the
command: exit code 1 when what was asked is refused, 3 when the server is not reached or does not allow it.
"""

from __future__ import annotations

import os
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click
import httpx2

from watchbill import __version__

TIMEOUT_SECONDS = 20.0
TRIES_WITH_A_KEY = 3


class Failed(click.ClickException):
    """What ends a command: said on stderr. Exit code 1: what was asked is refused, and the person may mend it."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Say it on stderr."""
        click.echo(f"watchbill: {clean(self.message)}", err=True)


class NotReached(Failed):
    """The server is not reached, or does not allow it."""

    exit_code = 3


def clean(text: str) -> str:
    """Take out what would steer the terminal: a title comes from outside."""
    return "".join(c if c.isprintable() else " " if c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def config_path() -> Path:
    """Give where `watchbill login` writes."""
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "watchbill" / "config.toml"


def read_config() -> dict[str, str]:
    """Read the address and the token; the environment wins. Ends the command when there are none."""
    written: dict[str, Any] = {}
    path = config_path()
    if path.exists():
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NotReached(f"{path} cannot be read: {error}. Run `watchbill login` again.") from None
    url = os.environ.get("WATCHBILL_API_URL") or str(written.get("url", ""))
    token = os.environ.get("WATCHBILL_TOKEN") or str(written.get("token", ""))
    if not url or not token:
        raise NotReached("log in first: `watchbill login`, or set WATCHBILL_API_URL and WATCHBILL_TOKEN")
    return {"url": url, "token": token}


class Api:
    """One server, as one person."""

    def __init__(self, url: str = "", token: str = "") -> None:
        config = {"url": url, "token": token} if url else read_config()
        self.url = config["url"].rstrip("/")
        self.headers = {"Authorization": f"Bearer {config['token']}", "User-Agent": f"watchbill/{__version__}"}

    def get(self, path: str, **query: Any) -> Any:
        """Read."""
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, once: bool = False) -> Any:
        """Do; `once` asks again when no answer comes, with a key that keeps it from being done twice."""
        return self.call("POST", path, body=body, key=uuid.uuid4().hex if once else "")

    def every(self, path: str, most: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Read a list, page by page, up to `most` items."""
        after = ""
        while most > 0:
            listed = self.get(path, limit=min(most, 200), after=after or None, **query)
            yield from listed["items"]
            most -= len(listed["items"])
            after = listed["next"]
            if not after:
                return

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Any:
        """Ask, and give what was answered; ends the command with the API's own words when it went wrong."""
        params = {name: _word(value) for name, value in (query or {}).items() if value not in (None, "")}
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        for left in reversed(range(TRIES_WITH_A_KEY if key else 1)):
            try:
                response = httpx2.request(
                    method, f"{self.url}/api{path}", params=params, json=body, headers=headers, timeout=TIMEOUT_SECONDS
                )
                return self._read(response)
            except httpx2.TransportError as error:
                if not left:
                    raise NotReached(f"{self.url} does not answer: {error}") from None
            except (httpx2.InvalidURL, UnicodeEncodeError) as error:
                raise NotReached(f"{self.url} is no address: {error}") from None
        return None

    def _read(self, response: httpx2.Response) -> Any:
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.is_success and answer is not None:
            return answer
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            raise NotReached(f"{self.url} answers {response.status_code}: is this the address of Watchbill?")
        field = f" ({error['field']})" if error.get("field") else ""
        not_allowed = response.status_code in {401, 403} or response.status_code >= 500
        raise (NotReached if not_allowed else Failed)(f"{error.get('message', '')}{field}")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_person(api: Api, text: str, team: str = "") -> dict[str, Any]:
    """Find a person by id, name or e-mail; ends the command when it is nobody or more than one."""
    if text.isdigit():
        person: dict[str, Any] = api.get(f"/people/{text}")
        return person
    found = list(api.every("/people", 20, search=text, team=team))
    wanted = text.casefold()
    exact = [one for one in found if wanted in {one["name"].casefold(), one["email"].casefold()}]
    first = [one for one in found if one["name"].casefold().split(" ")[0] == wanted]
    for some in (exact, first, found):
        if len(some) == 1:
            return some[0]
    if not found:
        raise Failed(f"nobody you can see is called “{text}”")
    names = ", ".join(f"{one['name']} ({one['id']})" for one in found[:8])
    raise Failed(f"“{text}” may be {names}: say which by the number")
