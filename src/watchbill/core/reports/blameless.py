"""Help to write without blame: names become roles in what is published, and words that blame are pointed at.

Nothing is changed without being asked for: `replace_names` is for the published version only, `blaming_words` gives
hints beside the editor.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Addresses and code stay as they are: a name inside them is part of something that must still work. A handle that
# begins a path (`@ana/tools`) or a mail address is no person spoken of either.
_KEPT = r"https?://[^\s<>]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|```.*?(?:```|\Z)|`[^`\n]*`"
_STARTS = re.compile(
    r"(?:[.!?][)\"”’]*\s+|\n\s*\n\s*|(?:\A|\n)[ ]*(?:[-*+>#]+|\d+[.)])[ ]+(?:\[[ xX]\][ ]+)?|\A)[*_“\"(]*\Z"
)


@dataclass(frozen=True, slots=True)
class Hint:
    """A phrase that may blame: where it stands (characters from 0, half-open), its words, and what could be said."""

    start: int
    end: int
    words: str
    kinder: str


def replace_names(text: str, roles: Mapping[str, str], handles: Mapping[str, str] | None = None) -> str:
    """Put roles in the place of names: `{"Ana Lima": "the commander"}`.

    Whole words only, in any case of letters for whole names; `Ana Lima's` becomes `the commander's`. A first or a last
    name alone is replaced when it is written with a capital and belongs to one of the people only. `handles` gives
    people's names by their handle without the @ (`{"alima": "Ana Lima"}`); a handle that is the name without spaces
    is known by itself. Addresses and code are left as they are.
    """
    by_form = _forms(roles)
    known = {handle.casefold(): roles[name] for handle, name in (handles or {}).items() if name in roles}
    known |= {form: role for name, role in roles.items() for form in _handles(name) if form not in known}
    if not by_form:
        return text
    names = "|".join(_spelled(form) for form in sorted(by_form, key=len, reverse=True))
    pattern = re.compile(
        rf"(?P<kept>{_KEPT})|(?<![\w@/])@(?P<handle>[\w.-]*\w)|(?<![\w@])(?P<name>{names})(?!\w)",
        re.IGNORECASE | re.DOTALL,
    )

    def put(found: re.Match[str]) -> str:
        role = _role(found, by_form, known)
        if role is None:
            return found[0]
        starts = _STARTS.search(text, max(found.start() - 40, 0), found.start())
        return role[:1].upper() + role[1:] if starts else role

    return pattern.sub(put, text)


def names_left(text: str, roles: Mapping[str, str]) -> list[str]:
    """Give the first and last names that still stand in a text because they belong to several of the people."""
    parts = Counter(part for name in roles if name.strip() for part in {name.split()[0], name.split()[-1]})
    several = [part for part, count in parts.items() if count > 1]
    return [part for part in several if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text)]


def _role(found: re.Match[str], by_form: Mapping[str, str], handles: Mapping[str, str]) -> str | None:
    if found["handle"]:
        return handles.get(found["handle"].casefold())
    if not found["name"]:
        return None
    words = found["name"].split()
    # "will" is a verb and "Will" is a person: one word alone must look like a name.
    if len(words) == 1 and not words[0][:1].isupper():
        return None
    return by_form.get(" ".join(words).casefold())


def _forms(roles: Mapping[str, str]) -> dict[str, str]:
    """Give every form of a name with its role: the whole name, and a part of it that is nobody else's."""
    whole = {" ".join(name.split()).casefold(): role for name, role in roles.items() if name.strip()}
    parts = Counter(part for name in whole for part in {name.split()[0], name.split()[-1]})
    single = {
        part: role
        for name, role in whole.items()
        for part in (name.split()[0], name.split()[-1])
        if parts[part] == 1 and len(part) > 1
    }
    return {**single, **whole}


def _handles(name: str) -> set[str]:
    words = name.casefold().split()
    return {"".join(words), ".".join(words), "-".join(words), "_".join(words)}


def _spelled(form: str) -> str:
    return r"[ \t]*\n?[ \t]*".join(re.escape(word) for word in form.split()) if " " in form else re.escape(form)


_KINDER = (
    (r"should(?:n['’]t| not)? have (?:known|seen|noticed|checked|realis?zed|realised|caught|been|done|tested|read|asked)",
     "Say what was visible at the time, and what would have made it visible."),
    (r"(?:could|ought to|must) have (?:known|seen|noticed|prevented|avoided)",
     "Say what would have shown it, or what would have stopped it by itself."),
    (r"(?:human|user|operator|pilot) error", "Say what the person saw, and what made the step easy to get wrong."),
    (r"(?:careless|negligent|sloppy|reckless|lazy|incompetent|stupid|foolish|clueless)(?:ly|ness)?",
     "Say what happened and under which conditions; a word about a person explains nothing."),
    (r"negligence|incompetence|stupidity", "Say which condition made this possible."),
    (r"(?:is|was|were|are) (?:to blame|at fault|responsible for (?:the|this) (?:outage|incident|failure|mistake))",
     "Say what contributed; there is always more than one factor."),
    (r"(?:his|her|their|my|whose|[A-Z]\w+['’]s) (?:fault|mistake|error|failure|negligence)",
     "Say what was done, and why it made sense at the time."),
    (r"blam(?:e|ed|es|ing)(?! ?less|-free| free)|fault of", "Say what contributed, in place of who."),
    (r"(?:failed|forgot|neglected|omitted) to", "Say what did not happen, and what could have reminded people."),
    (r"(?:did not|didn['’]t) bother(?: to)?|couldn['’]t be bothered(?: to)?", "Say what was not done, and what stood in the way."),
    (r"(?:obviously|clearly),? (?:wrong|a mistake|should|broken)|obvious mistake",
     "It is clear now; say what could be seen then."),
    (r"common sense|everyone knows|any(?:one|body) (?:would|should|could) have",
     "Say where it is written, or that it is written nowhere."),
    (r"if only|had (?:he|she|they) (?:just|only|simply)", "Say what did happen, then what would help next time."),
    (r"(?:screwed|messed|fucked|fouled) (?:it |this )?up|botch(?:ed)?|bungl(?:ed)?", "Say what was done and what followed from it."),
    (r"(?:was|were|being) (?:too )?(?:inattentive|distracted|complacent|inexperienced)",
     "Say what else asked for attention, or what support was missing."),
    (r"(?:the )?root cause (?:was|is) (?:him|her|them|a person|the engineer|the operator)", "Look for several factors that are not a person."),
    (r"lack of (?:care|attention|discipline|competence)", "Say what asked for attention at the same time."),
)  # fmt: skip
_BLAMING = tuple((re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE), kinder) for words, kinder in _KINDER)


def blaming_words(text: str) -> list[Hint]:
    """Point at phrases that blame, in their order, each with a kinder way to say it. None stands inside another."""
    found = [
        Hint(match.start(), match.end(), match[0], kinder)
        for pattern, kinder in _BLAMING
        for match in pattern.finditer(text)
    ]
    return list(_apart(sorted(found, key=lambda hint: (hint.start, -hint.end))))


def _apart(hints: Iterable[Hint]) -> Iterable[Hint]:
    end = 0
    for hint in hints:
        if hint.start >= end:
            end = hint.end
            yield hint
