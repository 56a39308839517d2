"""Me: profile, addresses, rules, tokens, my next shifts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from watchbill import channels
from watchbill.actions import addresses, people, tokens
from watchbill.db.models import ApiToken, ContactAddress, NotificationRule, Outgoing, Person, Shift
from watchbill.egress import Allow, Client
from watchbill.entry.api.auth import Asked, Caller, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.pages import Notification
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id, by_time
from watchbill.entry.api.people import PersonWhole
from watchbill.entry.api.people import read as read_person
from watchbill.entry.api.rota import ShiftLine
from watchbill.entry.api.words import Given, Id, Instant, Json, Name, Word, Zone
from watchbill.entry.settings import CONFIG
from watchbill.kit.errors import NotAllowed, Refused

router = Router(tags=["Me"])
Urgency = Literal["important", "default"]
TokenScope = Literal["read", "answer", "write", "admin"]


class MeWhole(PersonWhole):
    """Who you are, and what this token may do."""

    holiday_country: str
    holiday_subdivision: str
    scopes: list[str] = Field(description="Of this token; empty in a browser, which may do all that you may.")
    token_expires_at: datetime | None


class ProfileChange(Given):
    """What is to change; what is not given stays as it is."""

    name: Name = ""
    zone: Zone = ""
    holiday_country: Word = ""
    holiday_subdivision: Word = ""


class ChannelLine(BaseModel):
    """A way to reach a person, and the JSON schema of its addresses."""

    name: str
    title: str
    hint: str
    address: dict[str, Any]


class AddressLine(BaseModel):
    """One way to reach you; it counts once verified. Its secret parts are not shown."""

    id: int
    channel: str
    label: str
    created_at: datetime
    verified_at: datetime | None
    failed_at: datetime | None
    failure: str

    @classmethod
    def of(cls, row: ContactAddress) -> AddressLine:
        """Show an address."""
        plain = ("channel", "label", "created_at", "verified_at", "failed_at", "failure")
        return cls(id=row.pk, **{name: getattr(row, name) for name in plain})


class NewAddress(Given):
    """A channel, and an address in its form (see `GET /api/me/channels`)."""

    channel: Word
    address: Json
    label: Name = ""


class Code(Given):
    """The code that was sent to the address."""

    code: Annotated[str, StringConstraints(max_length=20, pattern=r"^[0-9 ]*$")]


class Rule(Given):
    """This address, so many seconds after a page asked for you."""

    address: Id
    after_seconds: Annotated[int, Field(ge=0, le=24 * 3600)] = 0


class Rules(Given):
    """Your rules for one urgency; an empty list means every verified address at once."""

    rules: list[Rule] = Field(max_length=20)


class RuleSet(BaseModel):
    """Your rules by urgency."""

    important: list[Rule]
    default: list[Rule]


class TokenLine(BaseModel):
    """A token; only its beginning is known after it was made."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiToken) -> TokenLine:
        """Show a token."""
        plain = ("name", "prefix", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
        return cls(id=row.pk, **{name: getattr(row, name) for name in plain})


class NewToken(Given):
    """What the token is for, what it may do, and when it ends (at most a year ahead)."""

    name: Annotated[Name, StringConstraints(min_length=1)]
    scopes: list[TokenScope] = Field(min_length=1, max_length=4)
    expires_at: Instant | None = None


class MadeToken(TokenLine):
    """A new token. Its text is shown this once."""

    token: str


@router.get("", auth=may("read"), response=answers(MeWhole), summary="Read who you are")
def read_me(request: Asked) -> MeWhole:
    """Also a way to try a token."""
    caller = request.auth
    return MeWhole(
        **dict(read_person(request, caller.person.pk)),
        holiday_country=caller.person.holiday_country,
        holiday_subdivision=caller.person.holiday_subdivision,
        scopes=list(caller.token.scopes) if caller.token else [],
        token_expires_at=caller.token.expires_at if caller.token else None,
    )


@router.patch("", auth=may("write"), response=answers(MeWhole), summary="Change your profile")
def change_me(request: Asked, body: ProfileChange) -> MeWhole:
    """Name, zone and holiday calendar; what is not given stays."""
    caller = request.auth
    names = ("name", "zone", "holiday_country", "holiday_subdivision")
    now = {name: getattr(caller.person, name) for name in names}
    people.change_profile(caller.person, now | body.model_dump(exclude_unset=True), caller.now)
    return read_me(request)


@router.get("/shifts", auth=may("read"), response=answers(Listed[ShiftLine]), summary="List your next shifts")
def my_shifts(request: Asked, after: After = "", limit: Limit = 50) -> Listed[ShiftLine]:
    """What you stand now and what lies ahead, in order."""
    caller = request.auth
    rows = Shift.objects.filter(person=caller.person, ends_at__gt=caller.now, rotation__archived_at=None)
    return by_time(rows.select_related("rotation", "rotation__team", "person"), "starts_at", after, limit, ShiftLine.of)


@router.get("/channels", auth=may("read"), response=answers(list[ChannelLine]), summary="List the ways to be reached")
def list_channels(request: Asked) -> list[ChannelLine]:
    """Each with the form of its addresses."""
    return [
        ChannelLine(name=name, title=channel.TITLE, hint=channel.HINT, address=channel.Address.model_json_schema())
        for name, channel in channels.all_channels().items()
    ]


@router.get("/addresses", auth=may("read"), response=answers(Listed[AddressLine]), summary="List your addresses")
def list_addresses(request: Asked, after: After = "", limit: Limit = 50) -> Listed[AddressLine]:
    """Without their secret parts."""
    rows = ContactAddress.objects.filter(person=request.auth.person, removed_at=None)
    return by_id(rows, after, limit, AddressLine.of)


@router.post("/addresses", auth=may("write"), response=answers(AddressLine, 201), summary="Add an address")
def add_address(request: Asked, body: NewAddress) -> Status[AddressLine]:
    """A code is sent to it; it counts once the code came back."""
    caller = request.auth
    _check_address(body)
    made = addresses.add_address(caller.person, body.channel, dict(body.address), caller.now, label=body.label)
    return Status(201, AddressLine.of(made))


def _check_address(body: NewAddress) -> None:
    """Look the names up that an address holds, here where somebody typed it: not inside a transaction."""
    if body.channel not in channels.all_channels():
        raise Refused(f"there is no channel “{body.channel}”", "channel")
    try:
        channels.check_address(body.channel, dict(body.address), Client(Allow.read(CONFIG.allow)))
    except ValidationError as error:
        # Never with the input: it may be a secret.
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join(["address", *(str(part) for part in first["loc"])])
        raise Refused(first["msg"].removeprefix("Value error, "), path) from None


def _my_address(person: Person, number: int) -> ContactAddress:
    found = ContactAddress.objects.filter(person=person, pk=number, removed_at=None).first()
    if found is None:
        raise Http404(f"you have no address {number}")
    return found


@router.post(
    "/addresses/{number}/verify", auth=may("write"), response=answers(AddressLine), summary="Enter an address's code"
)
def verify(request: Asked, number: Id, body: Code) -> AddressLine:
    """Five wrong codes, or 15 minutes, end a code."""
    caller = request.auth
    _my_address(caller.person, number)
    return AddressLine.of(addresses.verify_address(number, body.code, caller.person, caller.now))


@router.post(
    "/addresses/{number}/code", auth=may("write"), response=answers(AddressLine), summary="Send an address a new code"
)
def resend(request: Asked, number: Id) -> AddressLine:
    """At most one a minute."""
    caller = request.auth
    address = _my_address(caller.person, number)
    addresses.resend_code(address, caller.person, caller.now)
    return AddressLine.of(address)


@router.post(
    "/addresses/{number}/test", auth=may("write"), response=answers(Notification, 201), summary="Send yourself a test"
)
def send_test(request: Asked, number: Id) -> Status[Notification]:
    """The answer is the message that waits; `GET /api/me/notifications` shows what became of it."""
    caller = request.auth
    sent = addresses.send_test(_my_address(caller.person, number), caller.person, caller.now)
    return Status(201, Notification.of(sent))


@router.delete("/addresses/{number}", auth=may("write"), response=answers(AddressLine), summary="Remove an address")
def remove_address(request: Asked, number: Id, confirmed: bool = False) -> AddressLine:
    """Refused unless `confirmed` when it is the last that reaches you on watch in the next 7 days."""
    caller = request.auth
    address = _my_address(caller.person, number)
    addresses.remove_address(address, caller.person, caller.now, confirmed=confirmed)
    return AddressLine.of(address)


@router.get(
    "/notifications", auth=may("read"), response=answers(Listed[Notification]), summary="List what was sent to you"
)
def my_notifications(request: Asked, after: After = "", limit: Limit = 50) -> Listed[Notification]:
    """Newest first, each with its state and the vendor's answer."""
    rows = Outgoing.objects.filter(person=request.auth.person).select_related("person", "address")
    return by_id(rows, after, limit, Notification.of, newest_first=True)


@router.get("/rules", auth=may("read"), response=answers(RuleSet), summary="Read your notification rules")
def read_rules(request: Asked) -> RuleSet:
    """An empty list means every verified address at once."""
    return _rules(request.auth.person)


def _rules(person: Person) -> RuleSet:
    found: dict[str, list[Rule]] = {"important": [], "default": []}
    for row in NotificationRule.objects.filter(person=person).order_by("after_seconds", "pk"):
        found.setdefault(row.urgency, []).append(Rule(address=row.address_id, after_seconds=row.after_seconds))
    return RuleSet(important=found["important"], default=found["default"])


@router.put(
    "/rules/{urgency}", auth=may("write"), response=answers(RuleSet), summary="Change your rules for an urgency"
)
def change_rules(request: Asked, urgency: Urgency, body: Rules) -> RuleSet:
    """Replaces all of them; each names one of your verified addresses."""
    caller = request.auth
    rows = [(rule.address, rule.after_seconds) for rule in body.rules]
    addresses.change_rules(caller.person, urgency, rows, caller.now)
    return _rules(caller.person)


@router.get("/tokens", auth=may("read"), response=answers(Listed[TokenLine]), summary="List your tokens")
def list_tokens(request: Asked, ended: bool = False, after: After = "", limit: Limit = 50) -> Listed[TokenLine]:
    """Those that are good; with `ended` also those that ran out or were revoked."""
    caller = request.auth
    rows = ApiToken.objects.filter(person=caller.person)
    rows = rows if ended else rows.filter(revoked_at=None).exclude(expires_at__lte=caller.now)
    return by_id(rows, after, limit, TokenLine.of, newest_first=True)


@router.post("/tokens", auth=may("write"), response=answers(MadeToken, 201), summary="Make a token")
def make_token(request: Asked, body: NewToken) -> Status[MadeToken]:
    """Made with a token it may do no more than that one and lasts no longer. Its text is shown this once."""
    caller = request.auth
    ends = _end_of(caller, body.scopes, body.expires_at)
    row, text = tokens.create_token(caller.person, body.name, body.scopes, ends, caller.now)
    return Status(201, MadeToken(**dict(TokenLine.of(row)), token=text))


def _end_of(caller: Caller, scopes: Sequence[str], ends: datetime | None) -> datetime | None:
    """Check that a token makes none that is stronger than itself or outlives it."""
    if caller.token is None:
        return ends
    strongest = max(tokens.SCOPES.index(scope) for scope in caller.token.scopes)
    if any(tokens.SCOPES.index(scope) > strongest for scope in scopes):
        raise NotAllowed("A token makes none that is stronger than itself: make it in the browser, under Me.")
    last = caller.token.expires_at or caller.now + timedelta(days=365)
    if ends is not None and ends > last:
        raise NotAllowed("A token makes none that outlives itself: make it in the browser, under Me.")
    return ends or last


@router.delete("/tokens/{number}", auth=may("read"), response=answers(TokenLine), summary="Revoke a token")
def revoke_token(request: Asked, number: Id) -> TokenLine:
    """Any of your tokens may revoke itself; another one needs the scope write."""
    caller = request.auth
    row = ApiToken.objects.filter(person=caller.person, pk=number).first()
    if row is None:
        raise Http404(f"you have no token {number}")
    if caller.token is not None and row.pk != caller.token.pk and not {"write", "admin"} & set(caller.token.scopes):
        raise NotAllowed("To revoke another token this one needs the scope “write”.")
    tokens.revoke_token(row, caller.person, caller.now)
    return TokenLine.of(row)
