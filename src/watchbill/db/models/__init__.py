"""The tables, one file per domain. Mapping goes one way: a model gives facts, nothing is mapped back."""

from watchbill.db.models.alerts import Alert, AlertGroup, Silence
from watchbill.db.models.catalogue import MonitorConnection, Service
from watchbill.db.models.connectors import Connection, Export, ExternalRef
from watchbill.db.models.log import Event, Inbox, Outgoing, Timer
from watchbill.db.models.paging import Ladder, Page
from watchbill.db.models.people import ApiToken, ContactAddress, NotificationRule, Person
from watchbill.db.models.rota import Absence, Override, Rotation, RotationRevision, Shift
from watchbill.db.models.settings import InstanceSetting
from watchbill.db.models.support import (
    CannedResponse,
    Community,
    Desk,
    ExpertAsk,
    FaqEntry,
    Requester,
    SupportRequest,
    VendorCase,
)
from watchbill.db.models.teams import Membership, Policy, Team
from watchbill.db.models.tickets import Attachment, Message, SavedFilter, Sprint, Ticket, TicketLink, WorkLog

__all__ = [
    "Absence",
    "Alert",
    "AlertGroup",
    "ApiToken",
    "Attachment",
    "CannedResponse",
    "Community",
    "Connection",
    "ContactAddress",
    "Desk",
    "Event",
    "ExpertAsk",
    "Export",
    "ExternalRef",
    "FaqEntry",
    "Inbox",
    "InstanceSetting",
    "Ladder",
    "Membership",
    "Message",
    "MonitorConnection",
    "NotificationRule",
    "Outgoing",
    "Override",
    "Page",
    "Person",
    "Policy",
    "Requester",
    "Rotation",
    "RotationRevision",
    "SavedFilter",
    "Service",
    "Shift",
    "Silence",
    "Sprint",
    "SupportRequest",
    "Team",
    "Ticket",
    "TicketLink",
    "Timer",
    "VendorCase",
    "WorkLog",
]
