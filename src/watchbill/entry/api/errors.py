"""What went wrong, in one shape: `{"error": {"message": …, "field": …}}`, and which answers an operation documents."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation
from pydantic import BaseModel, Field

from watchbill.kit.errors import NotAllowed, Refused


class Trouble(BaseModel):
    """What is wrong and how to mend it."""

    message: str = Field(description="For a person to read.")
    field: str = Field(description="The part of what was given that is wrong, as a dotted path; empty: the whole.")


class Problem(BaseModel):
    """The body of every answer from 400 on."""

    error: Trouble


@cache
def _model_of(answer: Any) -> Any:
    return _make_model(None, answer)  # type: ignore[arg-type]


# ninja makes a model for each answer of each operation, 1800 of them, and most are the same Problem.
_make_model = Operation._create_response_model
Operation._create_response_model = lambda _, answer: _model_of(answer)  # type: ignore[assignment, method-assign]

ANSWERS: dict[int, Any] = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 422: Problem}


def answers(model: Any, status: int = 200) -> dict[int, Any]:
    """Give what an operation answers: `model` when it went well (None: no body), a Problem when it did not."""
    return {status: model, **ANSWERS}


def problem(status: int, message: str, field: str = "") -> HttpResponse:
    """Build the answer that says what went wrong."""
    response = JsonResponse({"error": {"message": message, "field": field}}, status=status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="watchbill"'
    return response


def unknown_address(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer for an address below /api/ that there is not."""
    return problem(404, f"the API has no {request.path}; see /api/docs")


def say_errors(api: NinjaAPI) -> None:
    """Teach the API to turn each of our errors into its answer; all else crashes loudly."""
    api.exception_handler(Refused)(lambda _, error: problem(422, error.message, error.field))
    api.exception_handler(NotAllowed)(lambda _, error: problem(403, error.message))
    api.exception_handler(Http404)(lambda _, error: problem(404, str(error) or "there is no such thing"))
    api.exception_handler(RequestDataTooBig)(lambda _, error: problem(400, "this is too large"))
    api.exception_handler(AuthenticationError)(
        lambda _, error: problem(401, "send a token that is good: Authorization: Bearer wb_… (make one under Me)")
    )
    api.exception_handler(HttpError)(lambda _, error: problem(error.status_code, error.message))
    api.exception_handler(ValidationError)(_not_valid)


def _not_valid(_: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    # The first part says where it came from (query, body), the second, for a body, the name of our argument.
    where = [str(part) for part in first["loc"]]
    path = where[2:] if where[0] == "body" else where[1:]
    return problem(422, str(first["msg"]).removeprefix("Value error, "), ".".join(path))
