"""Every error that Watchbill raises on purpose, by who can act on it.

    WatchbillError
    |- Refused            the person can correct what they gave: the door shows it, nothing is lost
    |- NotAllowed         the person may not do this: says what is needed and from whom
    |- DeliveryFailed     a message did not leave: `permanent` says whether trying again can help
    `- Unreadable         a payload that is not of the tool it claims to be from

All else is a bug or a broken machine: it crashes loudly, is logged, and no timer is lost.
"""


class WatchbillError(Exception):
    """The root: doors turn each of its children into an answer."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(WatchbillError):
    """What the person gave cannot be done as it stands: say what, where and how to mend it."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotAllowed(WatchbillError):
    """The person lacks the right; the message names the right and who holds it."""


class DeliveryFailed(WatchbillError):
    """A channel could not hand a message over. `permanent` is the one bit a caller needs: retry or give up.

    `operators`: the cause lies with whoever runs the instance (no mail server, a wrong password), so that no address
    is to blame and every message of the channel would meet it.
    """

    def __init__(self, message: str, permanent: bool = False, operators: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.operators = operators


class Unreadable(WatchbillError):
    """A payload that a monitor does not understand; `where` is the place in it, as a dotted path."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where
