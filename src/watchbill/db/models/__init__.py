"""The tables, one file per domain. Mapping goes one way: a model gives facts, nothing is mapped back."""

from watchbill.db.models.alerts import Alert, AlertGroup, Silence
from watchbill.db.models.catalogue import MonitorConnection, Service
from watchbill.db.models.log import Event, Inbox, Outgoing, Timer
from watchbill.db.models.paging import Ladder, Page
from watchbill.db.models.people import ApiToken, ContactAddress, NotificationRule, Person
from watchbill.db.models.rota import Absence, Override, Rotation, RotationRevision, Shift
from watchbill.db.models.settings import InstanceSetting
from watchbill.db.models.teams import Membership, Policy, Team

__all__ = [
    "Absence",
    "Alert",
    "AlertGroup",
    "ApiToken",
    "ContactAddress",
    "Event",
    "Inbox",
    "InstanceSetting",
    "Ladder",
    "Membership",
    "MonitorConnection",
    "NotificationRule",
    "Outgoing",
    "Override",
    "Page",
    "Person",
    "Policy",
    "Rotation",
    "RotationRevision",
    "Service",
    "Shift",
    "Silence",
    "Team",
    "Timer",
]
