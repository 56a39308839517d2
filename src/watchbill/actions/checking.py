"""Turn what pydantic says about a person's input into a refusal that names the field."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from watchbill.kit.errors import Refused


def check(model: type[BaseModel], values: Any, field: str = "") -> BaseModel:
    """Read values by a model; raises Refused with the first thing that is wrong, at `field` + its own path.

    A name that the model does not know is wrong too, also where the model passes it over when it reads what is stored.
    """
    try:
        return model.model_validate(values, extra="forbid")
    except ValidationError as error:
        # Never with the input: it may be a secret.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join([*([field] if field else []), *(str(part) for part in first["loc"])])
        raise Refused(first["msg"].removeprefix("Value error, "), path) from None


def check_text(values: dict[str, Any], name: str, longest: int, needed: str = "") -> str:
    """Read one line of text; raises Refused when it is too long, or empty though `needed` says why it may not be."""
    text = " ".join(str(values.get(name) or "").split())
    if len(text) > longest:
        raise Refused(f"at most {longest} characters, this has {len(text)}", name)
    if needed and not text:
        raise Refused(needed, name)
    return text
