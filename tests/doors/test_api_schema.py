"""The API keeps what its own description says: schemathesis asks every operation, and everything is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

import watchbill.entry.api as entry_api
from tests.doors.api_probe import TrueNames, fill
from tests.doors.api_world import ApiWorld
from tests.environment import ON_POSTGRESQL
from watchbill.entry.api.door import api as door

# So that those who test in parallel share it.
PARTS = 4
HTTP = {"get", "post", "put", "patch", "delete"}
# PostgreSQL is asked the first of them: what is made up and how it is read does not depend on it, only what is stored.
EXAMPLES = {GenerationMode.POSITIVE: 4 if ON_POSTGRESQL else 7, GenerationMode.NEGATIVE: 1 if ON_POSTGRESQL else 3}
LONG = 100
# What is of the right shape may still be refused by the process, with a 422 that says why. That every
# operation wants a token is asked of each by test_api_tokens.
LEFT_OUT = [positive_data_acceptance, ignored_auth]


@cache
def described() -> dict[str, Any]:
    return dict(door.get_openapi_schema(path_prefix="/api/"))


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in described()["paths"].items()
        for method, operation in methods.items()
        if method in HTTP
    ]


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """One connection for all requests, as Django's own client keeps it, so that each operation is rolled back."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_operation_breaks_or_answers_what_it_does_not_document(api: ApiWorld, mode: GenerationMode, part: int):
    """Each operation is asked by an administrator with what its schema allows, and with what it does not."""
    fill(api)
    token, names = api.token("ana", "admin"), TrueNames(api)
    statuses: dict[str, Counter[int]] = {}
    schema = schemathesis.openapi.from_dict(without_long_patterns(described()))
    schema.app = get_wsgi_application()
    for found in islice(schema.get_all_operations(), part, None, PARTS):
        operation = found.ok()
        with transaction.atomic():
            statuses[operation.label] = ask(operation, mode, token, names)
            transaction.set_rollback(True)
    assert len(statuses) == len(operations()[part::PARTS])
    if mode is GenerationMode.POSITIVE:
        never = [label for label, seen in statuses.items() if not any(status < 300 for status in seen)]
        assert len(never) < len(statuses) / 4, f"these never went well, so little of them was asked: {never}"


def without_long_patterns(part: Any) -> Any:
    """Give a description whose long texts may hold any character: what they may not is refused, and never breaks.

    schemathesis writes a length into the pattern beside it, and keeps every pattern that it compiled: one that counts
    to 4000 takes 6 MB. In short texts what the pattern forbids is asked for.
    """
    if isinstance(part, list):
        return [without_long_patterns(item) for item in part]
    if not isinstance(part, dict):
        return part
    long = part.get("maxLength", 0) > LONG
    return {key: without_long_patterns(inner) for key, inner in part.items() if not (long and key == "pattern")}


def ask(operation: Any, mode: GenerationMode, token: str, names: TrueNames) -> Counter[int]:
    seen: Counter[int] = Counter()
    # Made once: a strategy of a schema is dear, and hypothesis keeps each that it has met.
    made_up = operation.as_strategy(mode)
    known = {"path_parameters": names.path(operation.path)} if "{" in operation.path else {}
    true = operation.as_strategy(mode, **known) if known else made_up

    @given(data=st.data())
    @settings(
        max_examples=EXAMPLES[mode], deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def probe(data: st.DataObject) -> None:
        real = data.draw(st.integers(0, 3)) > 0
        case = data.draw(true if real else made_up)
        if real and mode is GenerationMode.POSITIVE:
            case.query = names.put_into(case.query)
            case.body = names.put_into(case.body)
        headers = {"Authorization": f"Bearer {token}"}
        seen[case.call_and_validate(headers=headers, excluded_checks=LEFT_OUT).status_code] += 1

    probe()
    return seen


def test_every_operation_says_what_it_does_and_what_can_go_wrong():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for method, path, operation in operations():
        where = f"{method} {path}"
        assert operation["summary"][0].isupper(), where
        assert len(operation["summary"].split()) >= 2, where
        assert operation.get("description"), where
        assert {400, 401, 403, 404, 422} <= set(operation["responses"]), where
        assert operation["security"] == [{"Token": []}, {"Session": []}], where
        for status, response in operation["responses"].items():
            assert "application/json" in response["content"], f"{where} {status}"


def test_every_shape_has_a_name_of_its_own():
    """Two of one name would be one in the description, and wrong for one of the two."""
    shapes = [
        shape
        for module in pkgutil.iter_modules(entry_api.__path__)
        for shape in vars(importlib.import_module(f"watchbill.entry.api.{module.name}")).values()
        if inspect.isclass(shape) and issubclass(shape, BaseModel) and shape.__module__.startswith("watchbill.")
    ]
    modules: dict[str, set[str]] = {}
    for shape in shapes:
        modules.setdefault(shape.__name__, set()).add(shape.__module__)
    assert len(modules) > 100
    assert {name: found for name, found in modules.items() if len(found) > 1} == {}


def test_every_text_and_number_that_comes_in_has_its_bounds():
    """What has no bound is a way to fill the disk or to break the database."""
    description = described()
    given = {
        name: schema
        for name, schema in description["components"]["schemas"].items()
        if schema.get("additionalProperties") is False
    }
    assert len(given) > 20
    loose = [
        f"{name}.{field}"
        for name, schema in given.items()
        for field, part in schema["properties"].items()
        if is_loose(part)
    ]
    for _, path, operation in operations():
        loose += [f"{path} {part['name']}" for part in operation["parameters"] if is_loose(part["schema"])]
    assert loose == []


def is_loose(part: dict[str, Any]) -> bool:
    if "anyOf" in part:
        return any(is_loose(option) for option in part["anyOf"])
    if "enum" in part or "const" in part or "$ref" in part:
        return False
    match part.get("type"):
        case "string":
            return not (
                {"maxLength", "format"} & set(part)
                or "{1," in part.get("pattern", "")
                or part.get("pattern", "").startswith("^(")
            )
        case "integer" | "number":
            return "maximum" not in part
        case "array":
            return "maxItems" not in part or is_loose(part["items"])
        case _:
            return False


def test_the_page_that_shows_the_api_loads_nothing_from_elsewhere(client):
    """Nothing loads from another host, and nothing inline runs under our policy."""
    page = client.get("/api/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    sources = re.findall(r"""(?:src|href)=["']([^"']+)""", text)
    assert any("swagger-ui-bundle.js" in source for source in sources)
    assert all(source.startswith("/static/") for source in sources)
    assert '"validatorUrl": null' in text
    for script in re.findall(r"<script([^>]*)>", text):
        assert "src=" in script or 'type="application/json"' in script
    for source in sources:
        assert client.get(source).status_code == 200, source


def test_an_address_that_the_api_does_not_have_answers_in_its_own_way(client):
    for path in ("/api/nothing", "/api/who/else", "/api/alerts/x/y/z"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"]
    assert door.get_openapi_schema(path_prefix="/api/")["openapi"].startswith("3.1")
