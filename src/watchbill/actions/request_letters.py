"""The mail that a requester receives, written from an export: in its thread, from the desk's own address."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from watchbill.actions import mail_ids
from watchbill.channels.email import POLICY, Settings
from watchbill.db.models import Desk, Export, Message, Team
from watchbill.kit.errors import DeliveryFailed

MOST_REFERENCES = 20
# A mail with more than its servers take is refused as a whole; what is left out is named, and stands on the request.
MOST_FILES = 20 * 1024 * 1024


def write_letter(export: Export, settings: Settings) -> EmailMessage:
    """Write the mail of an export. Raises DeliveryFailed when its address cannot stand in a mail."""
    message = Message.objects.select_related("author").filter(pk=export.payload.get("message")).first()
    letter = EmailMessage(policy=POLICY)
    try:
        _address(letter, export, settings)
    except (ValueError, IndexError) as error:
        raise DeliveryFailed(f"the address {export.recipient} is no mail address: {error}", permanent=True) from None
    letter["Subject"] = _one_line(export.payload.get("subject", ""))[:250]
    letter["Date"] = format_datetime(export.created_at)
    letter["Message-ID"] = message_id_of(export, message)
    _thread(letter, export, message)
    if message is None or message.author_id is None:
        # RFC 3834: no holiday notice answers this. The second is Exchange's own word for it.
        letter["Auto-Submitted"] = "auto-generated"
        letter["X-Auto-Response-Suppress"] = "All"
    files, left_out = _files(message)
    letter.set_content("\n\n".join([str(export.payload.get("text", "")).strip(), *left_out]) + "\n")
    if export.payload.get("calendar"):
        # iMIP (RFC 6047): an alternative of the text, so that a mail program offers it as an invitation.
        calendar = {"method": str(export.payload.get("method", "REQUEST"))}
        letter.add_alternative(str(export.payload["calendar"]), subtype="calendar", params=calendar)
    for name, media_type, content in files:
        main, _, sub = media_type.partition("/")
        known = main.isalnum() and sub and main not in {"multipart", "message", "text"}
        kind = (main, sub) if known else ("application", "octet-stream")
        letter.add_attachment(content, maintype=kind[0], subtype=kind[1], filename=_one_line(name))
    return letter


def sender_of(team: Team | None, settings: Settings) -> str:
    """Give the address that a team's mail comes from: its desk's own, else the instance's."""
    desk = Desk.objects.filter(team=team).exclude(mail_address="").first() if team else None
    return desk.mail_address if desk else settings.sender_email


def message_id_of(export: Export, message: Message | None) -> str:
    """Give the Message-ID of an export, the same for every attempt: a mailbox that has both shows one."""
    if message is not None and message.message_id:
        return message.message_id
    return mail_ids.make_id(export.subject_id, "export", export.pk)


def _address(letter: EmailMessage, export: Export, settings: Settings) -> None:
    recipient = export.recipient or {}
    sender = sender_of(export.team, settings)
    letter["From"] = Address(_one_line(str(export.team or "Watchbill")), addr_spec=sender)
    letter["To"] = Address(_one_line(recipient.get("name", "")), addr_spec=recipient.get("email", ""))
    if sender != settings.sender_email:
        letter["Reply-To"] = Address(addr_spec=sender)


def _thread(letter: EmailMessage, export: Export, message: Message | None) -> None:
    """Hang a mail below what was said before, so that a mailbox shows one conversation."""
    if export.subject_kind != "request":
        return
    earlier = Message.objects.filter(request=export.subject_id).exclude(message_id="").exclude(direction="note")
    if message is not None:
        earlier = earlier.filter(pk__lt=message.pk)
    lines = list(earlier.order_by("-id").values_list("message_id", "direction")[:MOST_REFERENCES])
    if not lines:
        return
    heard = next((one for one, direction in lines if direction == "in"), lines[0][0])
    letter["In-Reply-To"] = heard
    letter["References"] = " ".join([*(one for one, _ in reversed(lines) if one != heard), heard])


def _files(message: Message | None) -> tuple[list[tuple[str, str, bytes]], list[str]]:
    files: list[tuple[str, str, bytes]] = []
    left_out: list[str] = []
    size = 0
    for file in message.attachments.order_by("id") if message else ():
        size += file.size
        if size > MOST_FILES:
            left_out.append(f"[left out, it is too large for mail: {file.name}]")
        else:
            files.append((file.name, file.media_type, bytes(file.content)))
    return files, left_out


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
