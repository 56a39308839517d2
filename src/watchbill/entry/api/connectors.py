"""A team's connections to outside systems: how each is doing, what its words mean here, imports; a ticket's twins there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Router, Status
from pydantic import AfterValidator, BaseModel, Field

from watchbill import connectors as registry
from watchbill.actions import connector_out, connectors, helpdesk_canned, import_tickets
from watchbill.actions.twin_refs import agreement_of
from watchbill.core.twins import NO_CONCERN, TARGETS
from watchbill.db.models import Connection, ExternalRef, Person
from watchbill.db.screens import connectors as screen
from watchbill.egress import Allow, Client
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import TwinLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.tickets import the_ticket
from watchbill.entry.api.visible import chosen_teams, teams_of, the_team
from watchbill.entry.api.words import Given, Id, Json, Name, Slug, TeamRef, Word, check_json, up_to
from watchbill.entry.settings import CONFIG

router = Router(tags=["Connectors"])
of_tickets = Router(tags=["Tickets"])
twins = Router(tags=["Connectors"])
Sync = Literal["failed", "refused", "unknown_state", "waiting", "gone"]
Target = Annotated[str, Field(json_schema_extra={"enum": [*TARGETS, NO_CONCERN]}), up_to(20)]


class ConnectionLine(BaseModel):
    """A connection to an outside system; its secrets are not shown."""

    id: int
    team: TeamRef
    connector: str
    name: str
    created_at: datetime
    worked_at: datetime | None
    failed_at: datetime | None
    failure: str

    @classmethod
    def of(cls, row: Connection) -> ConnectionLine:
        """Show a connection."""
        plain = ("connector", "name", "created_at", "worked_at", "failed_at", "failure")
        return cls(id=row.pk, team=TeamRef.of(row.team), **{name: getattr(row, name) for name in plain})


class UnknownState(BaseModel):
    """A state of theirs that no mapping knows, and how many stand in it."""

    state: str
    number: int


class ImportLine(BaseModel):
    """How far an import is: running, done, stopped or failed."""

    state: str
    query: str
    page: int
    made: int
    known: int
    total: int | None
    failure: str


class WholeConnection(ConnectionLine):
    """A connection with what is not in step there, up to 1000 of each."""

    needs_somebody: bool
    not_in_step: dict[str, int]
    failing: int = Field(description="What did not leave for good; `POST /connectors/{number}/retry` tries it again.")
    unread: int = Field(description="Webhooks that were kept, and could not be read.")
    unknown_states: list[UnknownState]
    last_import: ImportLine | None


class NewConnector(Given):
    """A connector's name (see `GET /api/connectors/kinds`) and its settings in its form."""

    team: Slug
    connector: Word
    name: Name = ""
    settings: Json


class ChangedConnector(Given):
    """What becomes of a connection; what is not given stays, secrets too. Null gives a setting its default again."""

    name: Name = ""
    settings: Json = {}


class KindLine(BaseModel):
    """A system that may be connected, and the JSON schema of its settings."""

    name: str
    title: str
    port: str = Field(description="tracker, helpdesk, chat, documents or call.")
    settings: dict[str, Any]


class Meaning(Given):
    """What one state of theirs means here."""

    state: Annotated[str, up_to(80, 1)]
    target: Target


Terms = Annotated[dict[str, Annotated[str, up_to(254, 1)]], AfterValidator(check_json), Field(max_length=200)]


class Meanings(Given):
    """How their words become ours and the other way; what is left out, the connector says."""

    door: Literal["nothing", "ticket", "request"] = Field("nothing", description="What an issue opened there becomes.")
    opens_for: Annotated[list[Word], Field(max_length=20)] = Field([], description="Kinds of ticket opened there too.")
    stages: Terms = Field({}, description="Their state = our stage, or ignore for one that changes nothing here.")
    states: Terms = Field({}, description="Our stage = their state.")
    kinds: Terms = Field({}, description="Their type = our kind.")
    types: Terms = Field({}, description="Our kind = their type.")
    labels: Terms = Field({}, description="Their label = ours.")
    people: Terms = Field({}, description="Their user = the mail address here.")


class Followed(BaseModel):
    """How many did."""

    number: int


class Tried(BaseModel):
    """Whom we reached."""

    said: str


class Query(Given):
    """Which issues, in the system's own language: JQL for Jira."""

    query: Annotated[str, up_to(import_tickets.LONGEST_QUERY)] = ""


class NewTwin(Given):
    """Which connection; `ref` is an issue that is there already, such as OPS-12; without it one is opened."""

    connection: Id
    ref: Annotated[str, up_to(200)] = ""


class TwinAt(TwinLine):
    """Where a ticket stands, with the id by which it is tried again or let go."""

    id: int
    subject_kind: str
    subject_id: int

    @classmethod
    def of(cls, row: ExternalRef) -> TwinAt:
        """Show a twin."""
        return cls(**TwinLine.of(row).model_dump(), id=row.pk, subject_kind=row.subject_kind, subject_id=row.subject_id)


def _http() -> Client:
    return Client(Allow.read(CONFIG.allow))


def _the_connection(person: Person, number: int) -> Connection:
    rows = Connection.objects.filter(team__in=teams_of(person), removed_at=None).select_related("team")
    found = rows.filter(pk=number).first()
    if found is None or found.connector not in registry.all_connectors():
        raise Http404(f"there is no connection {number}")
    return found


def _the_twin(person: Person, number: int) -> ExternalRef:
    rows = ExternalRef.objects.filter(connection__team__in=teams_of(person)).select_related("connection")
    found = rows.filter(pk=number, subject_kind="ticket").first()
    if found is None:
        raise Http404(f"there is no twin {number}")
    return found


def _import_of(row: Connection) -> ImportLine | None:
    progress = row.cursor.get("import")
    if not progress:
        return None
    return ImportLine(**{name: progress.get(name) for name in ImportLine.model_fields})


def _whole(row: Connection) -> WholeConnection:
    health = screen.health_of(row)
    unknown = screen.unknown_states(row)
    return WholeConnection(
        **ConnectionLine.of(row).model_dump(),
        needs_somebody=health.needs_somebody,
        not_in_step=health.counts,
        failing=health.failing,
        unread=health.unread,
        unknown_states=[UnknownState(state=one["their_state"], number=one["number"]) for one in unknown],
        last_import=_import_of(row),
    )


@router.get("", auth=may("read"), response=answers(Listed[ConnectionLine]), summary="List connections to other systems")
def list_connections(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[ConnectionLine]:
    """Trackers, helpdesks and chats of your teams."""
    rows = Connection.objects.filter(team__in=chosen_teams(request.auth.person, team), removed_at=None)
    return by_id(rows.select_related("team"), after, limit, ConnectionLine.of)


@router.get("/kinds", auth=may("read"), response=answers(list[KindLine]), summary="List what may be connected")
def kinds(request: Asked) -> list[KindLine]:
    """Each with the JSON schema of its settings."""
    return [
        KindLine(name=name, title=module.TITLE, port=module.PORT, settings=module.Settings.model_json_schema())
        for name, module in sorted(registry.all_connectors().items())
    ]


@router.post("", auth=may("write"), response=answers(ConnectionLine, 201), summary="Connect a team with a system")
def connect(request: Asked, body: NewConnector) -> Status[ConnectionLine]:
    """For owners. Its page says how to set the other side up."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    made = connectors.connect(team, body.connector, body.name, body.settings, caller.person, _http(), caller.now)
    return Status(201, ConnectionLine.of(made))


@router.get("/{number}", auth=may("read"), response=answers(WholeConnection), summary="See how a connection is doing")
def read(request: Asked, number: Id) -> WholeConnection:
    """What is not in step, what failed, which states nobody explained, how far an import is."""
    return _whole(_the_connection(request.auth.person, number))


@router.patch("/{number}", auth=may("write"), response=answers(ConnectionLine), summary="Change a connection")
def change(request: Asked, number: Id, body: ChangedConnector) -> ConnectionLine:
    """Its name and its settings. For owners."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    merged = {name: value for name, value in {**row.settings, **body.settings}.items() if value is not None}
    connectors.change(row, body.name, merged, caller.person, _http(), caller.now)
    return ConnectionLine.of(row)


@router.get("/{number}/twins", auth=may("read"), response=answers(Listed[TwinAt]), summary="List what is not in step")
def list_twins(
    request: Asked, number: Id, sync: Sync = "failed", after: After = "", limit: Limit = 50
) -> Listed[TwinAt]:
    """Each with why, the newest first."""
    row = _the_connection(request.auth.person, number)
    rows = ExternalRef.objects.filter(connection=row, sync=sync).select_related("connection")
    return by_id(rows, after, limit, TwinAt.of, newest_first=True)


@router.post("/{number}/try", auth=may("write"), response=answers(Tried), summary="Call the system")
def try_it(request: Asked, number: Id) -> Tried:
    """Says whom we reached, or what went wrong. For owners."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    return Tried(said=connectors.try_it(row, caller.person, _http(), caller.now))


@router.post("/{number}/retry", auth=may("answer"), response=answers(Followed), summary="Try again what failed there")
def retry(request: Asked, number: Id) -> Followed:
    """All that did not leave for good."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    return Followed(number=connectors.retry_failed(row, caller.person, caller.now))


@router.put("/{number}/states", auth=may("write"), response=answers(Followed), summary="Say what a state means here")
def map_state(request: Asked, number: Id, body: Meaning) -> Followed:
    """What waited for it follows at once; gives how many did."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    return Followed(number=connectors.map_state(row, body.state, body.target, caller.person, caller.now))


@router.get("/{number}/mapping", auth=may("read"), response=answers(Meanings), summary="Read what its words mean here")
def read_mapping(request: Asked, number: Id) -> Meanings:
    """What the team said, and what the connector says by itself."""
    return _meanings(_the_connection(request.auth.person, number))


@router.put("/{number}/mapping", auth=may("write"), response=answers(Meanings), summary="Say what its words mean here")
def change_mapping(request: Asked, number: Id, body: Meanings) -> Meanings:
    """As a whole: what is left out falls back to the connector's own. What waited for a word follows. For owners."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    connectors.change_agreement(row, body.model_dump(mode="json"), caller.person, caller.now)
    return _meanings(row)


def _meanings(row: Connection) -> Meanings:
    return Meanings.model_construct(**agreement_of(row).model_dump(mode="json"))


@router.post("/{number}/import", auth=may("write"), response=answers(WholeConnection), summary="Import tickets")
def begin_import(request: Asked, number: Id, body: Query) -> WholeConnection:
    """It goes on by itself, page by page; read the connection to see how far it is. For owners."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    import_tickets.start_import(row, body.query, caller.person, caller.now)
    return _whole(row)


@router.delete("/{number}/import", auth=may("write"), response=answers(WholeConnection), summary="Stop an import")
def end_import(request: Asked, number: Id) -> WholeConnection:
    """What was taken in stays."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    import_tickets.stop_import(row, caller.person, caller.now)
    return _whole(row)


@router.post("/{number}/canned", auth=may("answer"), response=answers(ConnectionLine), summary="Take over ready words")
def take_canned(request: Asked, number: Id) -> ConnectionLine:
    """Take over the canned responses that a helpdesk keeps, now; it is done daily besides."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    helpdesk_canned.pull_now(row, caller.person, caller.now)
    return ConnectionLine.of(row)


@router.delete("/{number}", auth=may("write"), response=answers(ConnectionLine), summary="Disconnect a system")
def disconnect(request: Asked, number: Id) -> ConnectionLine:
    """Nothing leaves for it, its webhooks are refused; what stands there stays."""
    caller = request.auth
    row = _the_connection(caller.person, number)
    connectors.disconnect(row, caller.person, caller.now)
    return ConnectionLine.of(row)


@of_tickets.post("/{number}/twins", auth=may("write"), response=answers(TwinAt, 201), summary="Bring it to a tracker")
def add_twin(request: Asked, number: Id, body: NewTwin) -> Status[TwinAt]:
    """Open an issue for it, once, or link one that is there."""
    caller = request.auth
    the_ticket(caller.person, number)
    if body.ref:
        made = connector_out.link_twin(number, body.connection, body.ref, caller.person, caller.now)
    else:
        made = connector_out.open_twin(number, body.connection, caller.person, caller.now)
    return Status(201, TwinAt.of(made))


@twins.post("/{number}/retry", auth=may("answer"), response=answers(TwinAt), summary="Try one thing again")
def retry_twin(request: Asked, number: Id) -> TwinAt:
    """What failed for it leaves again."""
    caller = request.auth
    _the_twin(caller.person, number)
    connector_out.retry(number, caller.person, caller.now)
    return TwinAt.of(_the_twin(caller.person, number))


@twins.delete("/{number}", auth=may("write"), response=answers(TwinAt), summary="Take a ticket and its issue apart")
def let_go(request: Asked, number: Id) -> TwinAt:
    """Both stay as they are, and follow each other no more."""
    caller = request.auth
    shown = TwinAt.of(_the_twin(caller.person, number))
    connector_out.let_go(number, caller.person, caller.now)
    return shown
