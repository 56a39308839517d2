"""Sign a short-lived token (JWT, RS256) with a private key that a person pasted.

The token carries the time. It is taken from the other side's own Date header, not from our clock: connectors read no
clock, and a server whose clock is wrong is the usual reason why such a token is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from watchbill.egress import Blocked, Client, explain
from watchbill.kit.errors import DeliveryFailed

PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)


def sign(claims: Mapping[str, str | int], private_key: str) -> str:
    """Sign claims; raises DeliveryFailed for what is no private key."""
    return jwt.encode(dict(claims), _key(private_key), algorithm="RS256")


def read_their_time(client: Client, url: str) -> int:
    """Read the clock of whoever answers there, in Unix seconds; raises DeliveryFailed."""
    try:
        said = client.get(url, timeout=20.0).headers.get("date", "")
    except Blocked as error:
        raise explain(error) from error
    try:
        return int(parsedate_to_datetime(said).timestamp())
    except ValueError:
        raise DeliveryFailed(f"The answer has no time in it: {said[:60]}") from None


def _key(text: str) -> rsa.RSAPrivateKey:
    found = PEM.search(text)
    # A form's single line has lost the line ends of the file.
    tidy = f"-----BEGIN {found[1]}-----\n{''.join(found[2].split())}\n-----END {found[1]}-----\n" if found else text
    try:
        key = load_pem_private_key(tidy.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise DeliveryFailed("The private key is not the text of its .pem file", permanent=True)
    return key
