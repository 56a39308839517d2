"""The command for a mail server's pipe: one mail on standard input becomes a row of the desks' inbox."""

from __future__ import annotations

import sys
from importlib import import_module

import click

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and tries again
NOT_A_MAIL = 65  # EX_DATAERR


@click.command("mail-in")
def mail_in() -> None:
    """Take one mail from standard input, for a pipe in /etc/aliases or Postfix's transport.

    It writes into this machine's database (WATCHBILL_DATA or WATCHBILL_DATABASE_URL), so the server need not run.
    When the mail cannot be stored it ends with 75: the mail server keeps the mail and tries again.
    """
    raw = sys.stdin.buffer.read()
    if not raw.strip():
        click.echo("watchbill: no mail on standard input", err=True)
        sys.exit(NOT_A_MAIL)
    import_module("watchbill.entry.boot")
    away = import_module("django.db").DatabaseError
    inbox, clock = import_module("watchbill.actions.desk_inbox"), import_module("watchbill.entry.clock")
    try:
        inbox.store(inbox.MAIL, 0, raw, {}, "pipe", clock.now())
    except away as error:
        click.echo(f"watchbill: the mail was not stored: {error}", err=True)
        sys.exit(TRY_AGAIN)
