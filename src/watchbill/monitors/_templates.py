"""Texts with holes: `{{ expression }}` is filled from a payload by JMESPath, with an end to the work.

The expressions come from a person who tries things out, so none of this may run away: they are short, not
nested, and evaluated within a budget of steps that one payload shares. Lists and objects that an expression
builds itself (`[a, b]`, `{a: b}`) are refused: with them a line of text can grow into gigabytes, and two
holes side by side say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jmespath
from jmespath import ast, exceptions, functions
from jmespath.visitor import Options, TreeInterpreter

from watchbill.core.foreign import read_text
from watchbill.kit.errors import Refused

LONGEST_TEMPLATE = 1000
LONGEST_EXPRESSION = 300
LONGEST_RESULT = 1_000_000
STEPS = 100_000
STEPS_PER_VALUE = 30
CHARACTERS_PER_STEP = 32

_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_DEEPEST = 24
_BUILDERS = {"multi_select_list", "multi_select_dict"}
# What JMESPath's own functions let through on odd values: ceil of infinity, a slice of step zero.
_FAILURES = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError)


class BadTemplate(Refused):
    """An expression that cannot be read or worked out; `expression` is the guilty hole."""

    def __init__(self, message: str, expression: str) -> None:
        super().__init__(message)
        self.expression = expression


class TooMuchWork(Refused):
    """The steps of one payload are used up; whatever has not been read yet would be guessed."""


@dataclass(frozen=True)
class Template:
    """A text cut at its holes: literal text and compiled expressions in turn."""

    text: str
    parts: tuple[str | Expression, ...]

    def fill(self, item: object, budget: Budget) -> Any:
        """Fill the holes from `item`. One hole and nothing else gives the value itself, else a text."""
        values = [part if isinstance(part, str) else budget.work_out(part, item) for part in self.parts]
        return values[0] if len(values) == 1 else "".join(read_text(value) for value in values)


@dataclass(frozen=True)
class Expression:
    """One compiled hole."""

    text: str
    tree: Any


class Budget(TreeInterpreter):
    """Works expressions out and counts the steps: each node visited, each item of a list, each stretch of new text.

    `values` is how many values the payload holds: a larger one may cost more, in proportion.
    """

    def __init__(self, values: int) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._values = values
        self._left = STEPS + STEPS_PER_VALUE * values

    def work_out(self, expression: Expression, item: object) -> Any:
        """Give the value of `expression` on `item`; raises BadTemplate, or TooMuchWork once the steps are used up."""
        try:
            return self.visit(expression.tree, item)
        except BadTemplate as failure:
            raise BadTemplate(failure.message, expression.text) from failure
        except _FAILURES as failure:
            raise BadTemplate(_explain(failure), expression.text) from failure

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Visit one node of an expression; raises TooMuchWork once the steps are used up."""
        result = super().visit(node, *args, **kwargs)
        if isinstance(result, list):
            self._spend(1 + len(result))
        elif isinstance(result, str) and node["type"] == "function_expression":
            self._spend(1 + len(result) // CHARACTERS_PER_STEP)
            if len(result) > LONGEST_RESULT:
                raise BadTemplate("this gives a text of more than a million characters", "")
        else:
            self._spend(1)
        return result

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Compare two sides; two structures are compared to their depths, so that costs the whole payload."""
        sides = [self.visit(side, value) for side in node["children"]]
        if all(isinstance(side, list | dict) and side for side in sides):
            self._spend(self._values)
        known: Any = {**node, "children": [ast.literal(side) for side in sides]}
        return super().visit_comparator(known, value)

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork("this asks for too much work: the payload is too large for the mapping")


class _Functions(functions.Functions):
    """JMESPath's functions, except that contains() does not compare structures."""

    def call_function(self, function_name: str, resolved_args: Any) -> Any:
        """Call one function; raises BadTemplate where the work would be without measure."""
        if function_name == "contains" and any(isinstance(part, list | dict) for part in resolved_args[1:]):
            raise BadTemplate("contains() looks for a text or a number, not for a list or an object", "")
        return super().call_function(function_name, resolved_args)


@lru_cache(maxsize=1024)
def read_template(text: str) -> Template:
    """Read a text with holes; raises BadTemplate with the reason and the expression."""
    if len(text) > LONGEST_TEMPLATE:
        raise BadTemplate(f"longer than {LONGEST_TEMPLATE} characters", f"{text[:40]}…")
    parts: list[str | Expression] = []
    end = 0
    for hole in _HOLE.finditer(text):
        parts += [text[end : hole.start()], _compile(hole[1].strip())]
        end = hole.end()
    parts.append(text[end:])
    for part in parts:
        if isinstance(part, str) and ("{{" in part or "}}" in part):
            raise BadTemplate("a hole begins with {{ and ends with }}; one of the two is missing", part.strip()[:60])
    return Template(text, tuple(part for part in parts if part != "") or ("",))


def _compile(text: str) -> Expression:
    if not text:
        raise BadTemplate("there is nothing between {{ and }}", text)
    if len(text) > LONGEST_EXPRESSION:
        raise BadTemplate(f"longer than {LONGEST_EXPRESSION} characters", f"{text[:40]}…")
    try:
        tree: Any = jmespath.compile(text).parsed
        depth = max(depth for depth, _ in _walk(tree))
        kinds = {node["type"] for _, node in _walk(tree)}
    except _FAILURES as failure:
        raise BadTemplate(_explain(failure), text) from failure
    if depth > _DEEPEST:
        raise BadTemplate("nested too deep", text)
    if kinds & _BUILDERS:
        raise BadTemplate("lists [a, b] and objects {a: b} cannot be built here: write two holes side by side", text)
    return Expression(text, tree)


def _walk(tree: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Give every node with its depth; not recursive, because an expression may be nested on purpose."""
    waiting = [(1, tree)]
    while waiting:
        depth, node = waiting.pop()
        yield depth, node
        waiting += [(depth + 1, child) for child in node.get("children", ()) if isinstance(child, Mapping)]


def _explain(failure: Exception) -> str:
    """Say in one line what JMESPath says in three with a drawing."""
    match failure:
        case exceptions.EmptyExpressionError():
            return "there is nothing between {{ and }}"
        case exceptions.IncompleteExpressionError() | exceptions.ParseError(token_value="" | None):
            return "the expression ends too early"
        case exceptions.LexerError():
            return f"{failure.message} (at character {failure.lexer_position + 1})"
        case exceptions.ArityError() | exceptions.UnknownFunctionError():
            return str(failure)
        case exceptions.ParseError():
            return f"“{failure.token_value}” does not fit here (at character {failure.lex_position + 1})"
        case exceptions.JMESPathTypeError():
            found = read_text(failure.current_value, 40)
            return f"{failure.function_name}() cannot work on {found} ({failure.actual_type})"
        case RecursionError():
            return "nested too deep"
    return read_text(str(failure), 200) or type(failure).__name__
