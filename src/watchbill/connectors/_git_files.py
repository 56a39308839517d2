"""Write one file into a repository through a forge's API: GitHub's contents, GitLab's repository files.

Written twice with the same text it is written once: what stands there is read first. Documented at
docs.github.com/rest/repos/contents and docs.gitlab.com/api/repository_files.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from watchbill.connectors._calling import Api
from watchbill.connectors._shapes import Document
from watchbill.core.foreign import read_fields, read_text, read_url
from watchbill.kit.errors import DeliveryFailed


def put_on_github(api: Api, repository: str, document: Document) -> str:
    """Create or change a file on the default branch, in one commit. Gives its address there. Raises DeliveryFailed."""
    path = f"/repos/{repository}/contents/{quote(document.path)}"
    standing = read_fields(api.look(path))
    if _decoded(standing) == document.text:
        return read_url(standing.get("html_url"))
    asked: dict[str, Any] = {"message": document.note, "content": _encoded(document.text)}
    if standing.get("sha"):
        asked["sha"] = read_text(standing.get("sha"))
    made = read_fields(api.call("PUT", path, asked))
    return read_url(read_fields(made.get("content")).get("html_url"))


def put_on_gitlab(api: Api, home: str, document: Document) -> str:
    """Create or change a file on the default branch, in one commit. Gives its address there. Raises DeliveryFailed."""
    project = read_fields(api.get(home))
    branch = read_text(project.get("default_branch")) or "main"
    path = f"{home}/repository/files/{quote(document.path, safe='')}"
    standing = read_fields(api.look(path, ref=branch))
    if _decoded(standing) != document.text:
        asked = {
            "branch": branch,
            "commit_message": document.note,
            "encoding": "base64",
            "content": _encoded(document.text),
        }
        api.call("PUT" if standing else "POST", path, asked)
    web = read_url(project.get("web_url"))
    return f"{web}/-/blob/{quote(branch)}/{quote(document.path)}" if web else ""


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(standing: dict[str, Any]) -> str | None:
    content = standing.get("content")
    if not isinstance(content, str):
        return None
    try:
        return base64.b64decode(content).decode()
    except ValueError:
        raise DeliveryFailed("The file that stands there is no text", permanent=True) from None
