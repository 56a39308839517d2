"""The command line: runs the server, and speaks the API of one.

Each command is loaded when it is asked for, so that `watchbill who` does not wait for Django.
"""

from __future__ import annotations

from importlib import import_module

import click

from watchbill import __version__

COMMANDS = {
    "serve": "watchbill.entry.cli.run:serve",
    "web": "watchbill.entry.cli.run:web",
    "worker": "watchbill.entry.cli.run:worker",
    "migrate": "watchbill.entry.cli.run:migrate",
    "demo": "watchbill.entry.cli.run:demo",
    "mail-in": "watchbill.entry.cli.mail:mail_in",
    "login": "watchbill.entry.cli.login:login",
    "logout": "watchbill.entry.cli.login:logout",
    "me": "watchbill.entry.cli.login:me",
    "who": "watchbill.entry.cli.rota:who",
    "rota": "watchbill.entry.cli.rota:rota",
    "alerts": "watchbill.entry.cli.alerts:alerts",
    "alert": "watchbill.entry.cli.alerts:alert",
    "ack": "watchbill.entry.cli.alerts:ack",
    "resolve": "watchbill.entry.cli.alerts:resolve",
    "snooze": "watchbill.entry.cli.alerts:snooze",
    "reassign": "watchbill.entry.cli.alerts:reassign",
    "help-me": "watchbill.entry.cli.alerts:help_me",
    "note": "watchbill.entry.cli.alerts:note",
    "page": "watchbill.entry.cli.alerts:page",
    "silence": "watchbill.entry.cli.silences:silence",
    "silences": "watchbill.entry.cli.silences:silences",
    "requests": "watchbill.entry.cli.requests:requests",
    "request": "watchbill.entry.cli.requests:request",
    "ask": "watchbill.entry.cli.requests:ask",
    "answer": "watchbill.entry.cli.requests:answer",
    "wait": "watchbill.entry.cli.requests:wait",
    "reopen": "watchbill.entry.cli.requests:reopen",
    "take": "watchbill.entry.cli.desk:take",
    "give": "watchbill.entry.cli.desk:give",
    "log-time": "watchbill.entry.cli.desk:log_time",
    "tickets": "watchbill.entry.cli.tickets:tickets",
    "ticket": "watchbill.entry.cli.tickets:ticket",
    "move": "watchbill.entry.cli.tickets:move",
    "comment": "watchbill.entry.cli.tickets:comment",
    "board": "watchbill.entry.cli.tickets:board",
    "next": "watchbill.entry.cli.desk:next_things",
    "clock": "watchbill.entry.cli.desk:clock",
    "sprints": "watchbill.entry.cli.desk:sprints",
    "incidents": "watchbill.entry.cli.incidents:incidents",
    "incident": "watchbill.entry.cli.incident_record:incident",
    "update": "watchbill.entry.cli.updates:update",
    "updates": "watchbill.entry.cli.updates:updates",
    "heard": "watchbill.entry.cli.updates:heard",
    "notices": "watchbill.entry.cli.updates:notices",
    "drill": "watchbill.entry.cli.drills:drill",
    "status-page": "watchbill.entry.cli.status:status_page",
    "postmortems": "watchbill.entry.cli.postmortems:postmortems",
    "postmortem": "watchbill.entry.cli.postmortem_work:postmortem",
    "measures": "watchbill.entry.cli.learned:measures",
    "owed": "watchbill.entry.cli.learned:owed",
    "role": "watchbill.entry.cli.incident_work:role",
    "task": "watchbill.entry.cli.incident_work:task",
    "merge": "watchbill.entry.cli.incident_work:merge",
    "vendor": "watchbill.entry.cli.vendors:vendor",
    "connector": "watchbill.entry.cli.connectors:connector",
    "services": "watchbill.entry.cli.catalogue:services",
    "service": "watchbill.entry.cli.catalogue:service",
    "teams": "watchbill.entry.cli.catalogue:teams",
    "team": "watchbill.entry.cli.catalogue:team",
    "people": "watchbill.entry.cli.catalogue:people",
    "log": "watchbill.entry.cli.shift_log:log",
    "handoff": "watchbill.entry.cli.handoffs:handoff",
    "api": "watchbill.entry.cli.catalogue:api",
}


class LateGroup(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        where = COMMANDS.get(cmd_name)
        if where is None:
            return None
        module, _, name = where.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="watchbill")
def main() -> None:
    """Watchbill runs an operations team: who is on watch, what reached them, what they did about it."""
