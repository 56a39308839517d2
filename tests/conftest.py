"""What every test may use: the databases, the cast, a clock that is moved by hand, a mailbox that receives.

The cast: Ana is on watch as engineer; Ben is next; Eva owns the team and is its fallback person; Olga only
observes; Charlie is in another team and should have no way to Ana's.
"""

from __future__ import annotations

import os

import pytest
from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations

from tests.environment import DATA, ON_POSTGRESQL
from tests.world import Mailbox, World, build_world


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Give each run its own test database, in a file on SQLite as in the product."""
    name = f"test_watchbill_{os.getpid()}" if ON_POSTGRESQL else os.path.join(DATA, f"test-{os.getpid()}.sqlite3")
    for connection in connections.all():
        connection.settings_dict["TEST"]["NAME"] = name
        # What a power cut would lose is no test's subject here; processes that are killed bring their own settings.
        options = connection.settings_dict["OPTIONS"]
        if "init_command" in options:
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


def pytest_configure() -> None:
    """Hash passwords quickly: the tests make many accounts; empty small tables quickly: the tests leave many."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if ON_POSTGRESQL:
        DatabaseOperations.sql_flush = empty_tables


def empty_tables(self: DatabaseOperations, style: object, tables: list[str], **_: object) -> list[str]:
    """Give the statements that empty every table: TRUNCATE makes new files for each table and index, however empty."""
    if not tables:
        return []
    beside = ("alert_search", "ticket_search", "request_search")
    return [
        "SET session_replication_role = replica",
        *(f"DELETE FROM {self.quote_name(table)}" for table in [*tables, *beside]),
        "SET session_replication_role = DEFAULT",
    ]


@pytest.fixture(scope="session")
def mail_server():
    """A real SMTP server on the loopback; its messages are kept."""
    server = Mailbox()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mailbox(mail_server):
    """The mail server, emptied, and Watchbill told to use it."""
    mail_server.clear()
    before = settings.CHANNEL_SETTINGS
    settings.CHANNEL_SETTINGS = {"email": mail_server.channel_settings()}
    yield mail_server
    settings.CHANNEL_SETTINGS = before


@pytest.fixture
def world(transactional_db, mailbox) -> World:
    """A small team with a rotation, a ladder, a service and a connected monitor, at 09:00 on a Tuesday."""
    return build_world(mailbox)
