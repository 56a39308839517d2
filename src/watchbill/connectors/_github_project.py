"""Move an issue's card in a GitHub project (v2): its single-select field, by GraphQL."""

from __future__ import annotations

from typing import Any, Protocol

from watchbill.connectors._calling import Api
from watchbill.core.foreign import read_fields, read_key, read_line, read_text
from watchbill.kit.errors import DeliveryFailed

FIELD = """query($project: ID!, $field: String!) { node(id: $project) { ... on ProjectV2 {
  field(name: $field) { ... on ProjectV2SingleSelectField { id options { id name } } } } } }"""
ADD = """mutation($project: ID!, $issue: ID!) {
  addProjectV2ItemById(input: {projectId: $project, contentId: $issue}) { item { id } } }"""
SET = """mutation($project: ID!, $item: ID!, $field: ID!, $option: String!) {
  updateProjectV2ItemFieldValue(input: {projectId: $project, itemId: $item, fieldId: $field,
    value: {singleSelectOptionId: $option}}) { projectV2Item { id } } }"""


class ProjectSettings(Protocol):
    """What of the settings makes a project."""

    project: str
    project_field: str


def move(api: Api, issue: str, settings: ProjectSettings, column: str) -> None:
    """Put an issue (its node id) into the project, if it is not there, and into a column. Raises DeliveryFailed."""
    if not column:
        return
    found = _ask(api, FIELD, project=settings.project, field=settings.project_field)
    field = read_fields(read_fields(found.get("node")).get("field"))
    options = {
        read_line(read_fields(one).get("name")).casefold(): read_key(read_fields(one).get("id"))
        for one in field.get("options") or ()
    }
    if column.casefold() not in options:
        names = ", ".join(options) or "none"
        text = f"The project's field “{settings.project_field}” has no value “{column}”; it has {names}"
        raise DeliveryFailed(text, permanent=True)
    added = read_fields(_ask(api, ADD, project=settings.project, issue=issue).get("addProjectV2ItemById"))
    item = read_key(read_fields(added.get("item")).get("id"))
    option = options[column.casefold()]
    _ask(api, SET, project=settings.project, item=item, field=read_key(field.get("id")), option=option)


def _ask(api: Api, query: str, **variables: str) -> dict[str, Any]:
    """Ask by GraphQL, which answers 200 with `errors` for what went wrong."""
    said = read_fields(api.call("POST", "/graphql", {"query": query, "variables": variables}))
    errors = said.get("errors")
    if isinstance(errors, list) and errors:
        first = read_fields(errors[0])
        late = read_text(first.get("type")) in {"RATE_LIMITED", "INTERNAL"}
        raise DeliveryFailed(f"The project answered: {read_line(first.get('message'), 200)}", permanent=not late)
    return read_fields(said.get("data"))
