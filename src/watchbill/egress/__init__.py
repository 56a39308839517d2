"""The one way out to an address that a person typed.

Why this is a floor of its own: channels and connectors are strangers to each other, yet both call URLs that
people typed into a form, from inside the operator's network. So the guard sits below both, inside the only
HTTP client of the program: nobody can forget it, and nobody can go around it. Rules, monitors, presets, core
and kit may not import this floor; they have no way out at all.

    Allow        what the operator permits beyond the public internet ("10.1.2.3,*.corp.example")
    Client       request | get | post | deliver | check; share one between threads
    Response     status, headers, content (at most 64 kB unless asked for more), text (at most 2 kB, fit for a table)
    Blocked      Refused: the guard will not call this address, and says why; trying again cannot help
    NoAnswer     DeliveryFailed: nothing sensible came back (a dead name, a closed port, a timeout)
    explain      an unhappy Response or error -> DeliveryFailed(permanent=...)
    Deadline     so much time for everything together
    readable     a stranger's words, made fit for a table and a page

The reasons are in docs/decisions/0007-egress-is-a-floor.md.
"""

from watchbill.egress.addresses import Allow
from watchbill.egress.answers import Blocked, NoAnswer, Response, explain, readable
from watchbill.egress.client import Client
from watchbill.egress.deadline import Deadline
from watchbill.egress.urls import read_url

__all__ = ["Allow", "Blocked", "Client", "Deadline", "NoAnswer", "Response", "explain", "read_url", "readable"]
