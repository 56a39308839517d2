"""What every test may use: the databases, the cast, a clock that is moved by hand, a mailbox that receives.

The cast: Ana is on watch as engineer; Ben is next; Eva owns the team and is its fallback person; Olga only
observes; Charlie is in another team and should have no way to Ana's.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.template.base import Template
from django.test import TransactionTestCase
from django.test.utils import instrumented_test_render
from pytest_django import DjangoDbBlocker

from tests import database
from tests.environment import DATA, ON_POSTGRESQL
from tests.world import Mailbox, World, build_world, freeze, thaw

# Before Django's test environment puts its own in place, which copies the context of each part of each page.
PLAIN_RENDER = Template._render
DEAREST = (
    "tests/walks/test_demo.py",
    "tests/doors/test_api_schema.py",
    "tests/walks/",
    "tests/doors/test_server.py",
    "tests/kill/",
)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[database.Kept]:
    """Give this process a migrated database of its own, in a file on SQLite as in the product; each test leaves it empty."""
    name = f"test_watchbill_{os.getpid()}" if ON_POSTGRESQL else os.path.join(DATA, f"test-{os.getpid()}.sqlite3")
    Template._render = PLAIN_RENDER
    connection.settings_dict["NAME"] = name
    if ON_POSTGRESQL:
        database.copy_database(name)
    else:
        database.copy_file(Path(name))
        # What a power cut would lose is no test's subject here; processes that are killed bring their own settings.
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    with django_db_blocker.unblock():
        empty = database.Kept("empty")
    TransactionTestCase._fixture_teardown = lambda _: empty.put_back()
    yield empty
    if ON_POSTGRESQL:
        database.drop_database(name)


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what a page was drawn from in `response.context`: an eighth of the time of a page, so only where it is read."""
    monkeypatch.setattr(Template, "_render", instrumented_test_render)


def pytest_configure() -> None:
    """Hash passwords quickly: the tests make many accounts. No test fails for how busy the machine is."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    hypothesis.settings.register_profile(
        "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("tests")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is left alone with it: pytest-django puts just that last."""
    looks = [item for item in items if ON_POSTGRESQL and item.get_closest_marker("looks")]
    if looks:
        config.hook.pytest_deselected(items=looks)
        items[:] = [item for item in items if item not in looks]
    items.sort(
        key=lambda item: next((n for n, path in enumerate(DEAREST) if item.nodeid.startswith(path)), len(DEAREST))
    )


def pytest_collection_finish() -> None:
    """Never look again through what was loaded to find what nobody needs: a tenth of the time would go there."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Leave nothing on a PostgreSQL server that is not ours; the process that began the run is the last to end."""
    if ON_POSTGRESQL and "PYTEST_XDIST_WORKER" not in os.environ:
        database.drop_database(database.MIGRATED)


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


@pytest.fixture(scope="session")
def built(django_db_setup: database.Kept, django_db_blocker: DjangoDbBlocker) -> tuple[database.Kept, bytes]:
    """The world as it stands in the database, and as the test holds it: built once by each process."""
    with django_db_blocker.unblock():
        database.spread_numbers()
        frozen = freeze(build_world(Mailbox()))
        kept = database.Kept("world")
        django_db_setup.put_back()
        connection.close()
    return kept, frozen


@pytest.fixture
def world(transactional_db, mailbox, built) -> World:
    """A small team with a rotation, a ladder, a service and a connected monitor, at 09:00 on a Tuesday."""
    kept, frozen = built
    kept.put_back()
    return thaw(frozen, mailbox)
