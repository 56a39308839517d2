"""PagerDuty's own client library speaks to the door once its host name is changed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pagerduty import EventsApiV2Client, HttpError

from tests.doors.intake_world import KEYS, Door


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for the loopback, signed by itself, and its key: two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "door.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "door.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "door.pem"), str(folder / "door.key")


def client_of(door: Door, key: str) -> EventsApiV2Client:
    trusted = ssl.create_default_context(cafile=door.options["certificate"])
    return EventsApiV2Client(key, base_url=f"https://localhost:{door.port}", verify=trusted)


def test_the_vendors_client_triggers_acknowledges_resolves_and_reports_a_change(
    open_door: Callable[..., Door], tmp_path: Path
):
    certificate, certificate_key = make_certificate(tmp_path)
    door = open_door(certificate=certificate, certificate_key=certificate_key)
    client = client_of(door, KEYS["events_v2"])
    given = client.trigger("Disk full on db1", "db1", severity="critical", custom_details={"free": "1%"})
    client.acknowledge(given)
    assert client.resolve(given) == given
    assert client.trigger("Disk full on db2", "db2", dedup_key="ours") == "ours"
    rows = door.store.query("SELECT body, note FROM watchbill_inbox ORDER BY id")
    actions = [json.loads(bytes(body))["event_action"] for body, _ in rows]
    assert actions == ["trigger", "acknowledge", "resolve", "trigger"]
    assert json.loads(rows[0][1]) == {"dedup_key": given}
    build = {"href": "https://ci.example.org/42", "text": "Build"}
    client.send_change_event({"summary": "Deployed checkout 4.2", "source": "pipeline"}, links=[build])
    [(body, note)] = door.store.query("SELECT body, note FROM watchbill_inbox ORDER BY id DESC LIMIT 1")
    assert json.loads(bytes(body))["payload"]["summary"] == "Deployed checkout 4.2"
    assert json.loads(note) == {"change": True}
    with pytest.raises(HttpError, match="400"):
        client_of(door, "0" * 32).trigger("Disk full", "db1")
