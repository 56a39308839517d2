"""Writes the team of the tests into a migrated database, at the present time: python seed_team.py; prints the key and a cookie."""

import json

import django


def seed() -> dict[str, str]:
    """Write the team, and a session of Ana's."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415

    from tests.world import Mailbox, build_world  # noqa: PLC0415 - Django is set up first
    from watchbill.entry import clock  # noqa: PLC0415

    world = build_world(Mailbox(), clock.now())
    session = SessionStore()
    session[SESSION_KEY] = str(world.ana.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = world.ana.get_session_auth_hash()
    session.create()
    return {"key": world.key, "session": session.session_key or ""}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(seed()))
