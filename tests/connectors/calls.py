"""Services for calls on the loopback, which answer as Zoom and Google document it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import jwt

from tests.connectors.vendors import Vendor, say
from tests.connectors.world import APP_KEY, KEY_FILE
from tests.egress.outside import Heard, Say


@dataclass
class Zoom(Vendor):
    """Zoom: a token for an app's pair of id and secret, meetings of a user."""

    meetings: list[dict[str, Any]] = field(default_factory=list)
    scope: str = "meeting:write:meeting:admin user:read:user:admin"
    came_as: str = ""

    def answer(self, heard: Heard) -> Say:
        self.came_as = heard.headers.get("authorization", "")
        return super().answer(heard)

    def ways(self) -> list[Any]:
        return [("POST", "/oauth/token", self.token), ("POST", "/v2/users/([^/]+)/meetings", self.create)]

    def token(self, body: Any, query: Any) -> Say:
        pair = base64.b64decode(self.came_as.removeprefix("Basic ")).decode()
        if pair != "client_1:tk_secret_token":
            return say({"reason": "Invalid client_id or client_secret", "error": "invalid_client"}, 400)
        assert body == {"grant_type": "account_credentials", "account_id": "ac-1"}
        made = {"access_token": "zt-1", "token_type": "bearer", "expires_in": 3599, "scope": self.scope}
        return say({**made, "api_url": "https://api.zoom.us"})

    def create(self, body: Any, query: Any, host: str) -> Say:
        if self.came_as != "Bearer zt-1":
            return say({"code": 124, "message": "Invalid access token."}, 401)
        if host not in {"me", "bridge@example.org"}:
            return say({"code": 1001, "message": f"User does not exist: {host}."}, 404)
        number = 85000000001 + len(self.meetings)
        self.meetings.append({**body, "host": host})
        return say({**body, "id": number, "join_url": f"https://us02web.zoom.us/j/{number}?pwd=a1"}, 201)


@dataclass
class Meet(Vendor):
    """Google: a token for a signed assertion, spaces of the user in whose name it was given."""

    spaces: list[dict[str, Any]] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)
    came_as: str = ""

    def answer(self, heard: Heard) -> Say:
        self.came_as = heard.headers.get("authorization", "")
        return super().answer(heard)

    def ways(self) -> list[Any]:
        return [("POST", "/token", self.token), ("POST", "/v2/spaces", self.create)]

    def token(self, body: Any, query: Any) -> Say:
        assert body["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        self.claims = jwt.decode(
            body["assertion"], APP_KEY.public_key(), ["RS256"], audience="https://oauth2.googleapis.com/token"
        )
        delegated = "https://www.googleapis.com/auth/meetings.space.created"
        if self.claims["iss"] != KEY_FILE["client_email"] or self.claims["scope"] != delegated:
            wrong = "Client is unauthorized to retrieve access tokens using this method"
            return say({"error": "unauthorized_client", "error_description": wrong}, 401)
        if not self.claims["sub"].endswith("@example.org"):
            return say({"error": "invalid_grant", "error_description": "Invalid email or User ID"}, 400)
        return say({"access_token": "ya29.a", "expires_in": 3599, "token_type": "Bearer"})

    def create(self, body: Any, query: Any) -> Say:
        if self.came_as != "Bearer ya29.a":
            return say({"error": {"code": 401, "message": "Invalid credentials", "status": "UNAUTHENTICATED"}}, 401)
        code = f"abc-mnop-xy{chr(97 + len(self.spaces))}"
        self.spaces.append(body)
        access = body.get("config", {}).get("accessType", "TRUSTED")
        return say({
            "name": f"spaces/jQCFfuBOdN{len(self.spaces)}", "meetingUri": f"https://meet.google.com/{code}",
            "meetingCode": code, "config": {"accessType": access, "entryPointAccess": "ALL"},
        })  # fmt: skip
