"""docs/use-the-api.md does what it says: every example in it is carried out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.test import Client

from tests.actions.test_incidents import declare
from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import ask, connect, write
from watchbill.entry.api.door import api as door
from watchbill.entry.cli import COMMANDS, main

PAGE = (Path(__file__).parents[2] / "docs" / "use-the-api.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def numbers(api: ApiWorld) -> dict[str, str]:
    """What the numbers of the page are in this world."""
    first = api.alert()
    api.world.event(key="another", summary="Queue is long")
    api.world.work()
    desk = {"12": str(ask(api.world).pk), "34": str(write(api.world).pk), "35": str(write(api.world).pk)}
    desk |= {"56": str(declare(api.world).pk), "78": str(connect(api.world).pk)}
    return desk | {"123": str(first), "124": str(api.world.group().pk), "42": str(api.world.ben.pk)}


def put_in(text: str, numbers: dict[str, str]) -> str:
    return re.sub(r"\b(123|124|42|12|34|35|56|78)\b", lambda found: numbers[found[0]], text)


def test_every_command_of_the_page_does_what_it_says(api: ApiWorld, numbers, live_server, tmp_path: Path):
    env = {"WATCHBILL_API_URL": "", "WATCHBILL_TOKEN": "", "XDG_CONFIG_HOME": str(tmp_path), "TZ": "UTC"}
    typed = f"{live_server.url}\n{api.token('eva', 'write')}\n"
    lines = [line.removeprefix("$ watchbill ") for block in blocks("console") for line in block.splitlines()]
    assert len(lines) > 20
    for line in lines:
        result = CliRunner().invoke(main, shlex.split(put_in(line, numbers)), env=env, input=typed)
        assert result.exit_code == 0, f"{line}: {result.output}"
        assert result.stdout, line


def test_every_request_of_the_page_is_answered(api: ApiWorld, numbers):
    client = Client(headers={"Authorization": f"Bearer {api.token('ana', 'write')}"})
    asked = blocks("http")
    assert len(asked) >= 5
    for block in asked:
        head, _, body = put_in(block, numbers).partition("\n\n")
        first, *rest = head.splitlines()
        method, path = first.split()
        headers = dict(line.split(": ", 1) for line in rest)
        response = client.generic(method, path, body.strip(), "application/json", headers=headers)
        assert response.status_code < 300, f"{first}: {response.content!r}"


def test_the_page_names_every_command_and_every_scope():
    for name in COMMANDS:
        if name not in {"serve", "web", "worker", "migrate", "demo", "logout", "mail-in"}:
            assert re.search(rf"watchbill {name}\b|`{name}`", PAGE), name
    for scope in ("read", "answer", "write", "admin"):
        assert f"| `{scope}` |" in PAGE
    assert {"/api/who", "/api/pages"} <= set(door.get_openapi_schema(path_prefix="/api/")["paths"])
