"""What a person can do with incidents, all around them and connections, they can do by web, API and command line.

Read from the source, so that an action which gets one door is asked for the others at once: a door calls an action by
its module (`incidents.leave`) or by its name (`from … import set_step`), and a command names the address that it asks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from watchbill.entry.api.door import api as door

SOURCE = Path(__file__).parents[2] / "src" / "watchbill"
# The actions of a domain are those of the files that begin so.
DOMAINS = (
    "declaring", "incident", "role_", "audiences", "update_", "notices", "status", "postmortem", "action_items",
    "publishing", "report_", "drills", "vendor_cases", "connectors", "helpdesk_canned", "import_tickets", "handoff",
    "shift_log",
)  # fmt: skip
# The page takes an action as one line, in which all its parts may stand.
IN_OTHER_WORDS = {"action_items.add": "action_items.add_line"}
# That the page is open is noted by the page.
OF_THE_PAGE = {"incident_eyes.note_seen"}
ADDRESSES = ("/incidents", "/notices", "/status-pages", "/postmortems", "/drills", "/vendor-cases", "/connectors",
             "/handoffs", "/shift-log")  # fmt: skip
METHODS = {"get": "GET", "every": "GET", "post": "POST"}


@cache
def acts() -> set[str]:
    """Name what somebody does at some time: the public functions that are told who and when."""
    found: set[str] = set()
    for path in (SOURCE / "actions").glob("*.py"):
        if path.stem.startswith(DOMAINS):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    given = {one.arg for one in [*node.args.args, *node.args.kwonlyargs]}
                    found |= {f"{path.stem}.{node.name}"} if {"person", "now"} <= given else set()
    return found


def called_in(folder: str) -> set[str]:
    """Name the actions that the files of a door call."""
    found: set[str] = set()
    for path in (SOURCE / "entry" / folder).rglob("*.py"):
        tree = ast.parse(path.read_text())
        modules: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "watchbill.actions":
                modules |= {one.asname or one.name: one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("watchbill.actions."):
                found |= {f"{str(node.module).rpartition('.')[2]}.{one.name}" for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                found.add(f"{modules[node.value.id]}.{node.attr}")
    return found & acts()


def shape(text: ast.expr) -> str:
    """Give an address with {} for what is filled in; nothing when it is none."""
    if isinstance(text, ast.JoinedStr):
        text = ast.Constant("".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in text.values))
    return text.value if isinstance(text, ast.Constant) and str(text.value).startswith("/") else ""


def asked_by_commands() -> Iterator[tuple[str, str]]:
    """Give (method, address) of what the commands ask; the method is empty where the address is passed on."""
    for path in (SOURCE / "entry" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                method = METHODS.get(node.func.attr, "")
                if node.func.attr == "call" and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value), shape(node.args[1])
                elif method:
                    yield method, shape(node.args[0])
            elif isinstance(node, ast.Call) and node.args:
                yield "POST", shape(node.args[0])
            elif isinstance(node, ast.Dict):
                yield from (("POST", shape(one)) for one in node.values)


def test_the_web_and_the_api_do_the_same_with_incidents():
    """INC-01 to PM-13 by each door: an action that only one of them offers is named here."""
    web, api = called_in("web"), called_in("api")
    assert len(web) > 60
    assert web - api == OF_THE_PAGE
    assert {one for one in api - web if IN_OTHER_WORDS.get(one) not in web} == set()


def test_every_address_of_incidents_has_a_command():
    """What is asked by hand with `watchbill api` is for what has no command of its own; here everything has one."""
    asked = set(asked_by_commands())
    described = door.get_openapi_schema(path_prefix="/api/")["paths"]
    wanted = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api")))
        for path, methods in described.items()
        for method in methods
        if path.removeprefix("/api").startswith(ADDRESSES) or path.endswith("vendor-cases")
    }
    assert len(wanted) > 80
    assert wanted - asked == set()
