"""docs/write-a-connector.md: its example is run as it stands there."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.connectors.vendors import Vendor, running, say
from tests.egress.outside import HERE, Say
from watchbill.connectors import Comment, Draft, Newest
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

PAGE = Path(__file__).parents[2] / "docs" / "write-a-connector.md"
HTTP = Client(HERE)


@pytest.fixture(scope="module")
def cellar(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    code = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(code) == 1
    file = tmp_path_factory.mktemp("docs") / "cellar_tracker.py"
    file.write_text(code[0], encoding="utf-8")
    spec = spec_from_file_location("cellar_tracker", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["cellar_tracker"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Cellar(Vendor):
    """The tracker of the page."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def ways(self) -> list[Any]:
        return [
            ("GET", "/issues", lambda b, q: say([one for one in self.rows if q.get("key", one["key"]) == one["key"]])),
            ("POST", "/issues", self.create),
            ("GET", r"/issues/(\d+)", lambda b, q, n: say(self.rows[int(n) - 1])),
            ("PATCH", r"/issues/(\d+)", self.edit),
            ("POST", r"/issues/(\d+)/comments", lambda b, q, n: say({"id": b["key"]})),
        ]

    def create(self, body: Any, query: Any) -> Say:
        self.rows.append({"number": len(self.rows) + 1, "state": "new", **body})
        return say(self.rows[-1], 201)

    def edit(self, body: Any, query: Any, number: str) -> Say:
        self.rows[int(number) - 1].update(body)
        return say(self.rows[int(number) - 1])


def test_it_does_what_the_page_says(cellar: ModuleType) -> None:
    draft = Draft("watchbill-T-1-3c9f00", "Damp", labels=("operations",))
    with running(Cellar()) as vendor:
        here = cellar.Settings.model_validate({"url": vendor.url, "token": "tk-123"})
        assert cellar.find(here, HTTP, draft) is None
        ref = cellar.create(here, HTTP, draft).ref
        assert cellar.find(here, HTTP, draft).ref == ref
        assert cellar.update(here, HTTP, ref, Newest(state="finished")).state == "finished"
        assert cellar.read(here, HTTP, ref).labels == ("operations",)
        assert cellar.comment(here, HTTP, ref, Comment("Dry.", "Ana", mark="watchbill-m-1-3c9f00"))
        assert [issue.title for issue in cellar.search(here, HTTP, "", "").issues] == ["Damp"]
        assert cellar.check(here, HTTP) == "Reached it; it holds 1 issues."
        assert {heard.headers["authorization"] for heard in vendor.host.heard} == {"Bearer tk-123"}
        vendor.trouble.append(("GET", Say(200, b'{"no": "list"}')))
        with pytest.raises(DeliveryFailed, match="list of issues"):
            cellar.check(here, HTTP)


def test_its_example_holds_and_a_stranger_is_unreadable(cellar: ModuleType) -> None:
    here = cellar.Settings.model_validate({"token": "tk-123"})
    for example in cellar.EXAMPLES:
        came = cellar.parse(example.payload, {}, here)
        assert tuple((one.kind, one.issue.ref, one.issue.state, "") for one in came) == example.gives
    with pytest.raises(Unreadable):
        cellar.parse({"issue": {}}, {}, here)
