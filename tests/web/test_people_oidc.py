"""The district's account as a way in, against an issuer on this machine that can also lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import RSAKey

from jiequ.people.models import Person, Session
from tests.actors import MovableClock, World

CLIENT = "jiequ-test"


KEYS = [RSAKey.generate_key(2048, {"kid": "k"}) for _n in range(2)]


class Issuer:
    """A small OpenID provider; ``twist`` changes one thing about its tokens."""

    def __init__(self) -> None:
        self.key, self.other_key = KEYS
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.now = 0
        self.sign_with = self.key
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k"}
        self.announced: dict[str, str] = {}
        self.status = 200
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def agree(self, location: str) -> dict[str, str]:
        """What the issuer's page does when the person agrees: a code for the address it was sent to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.address}/authorize?")
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        self.codes["code-1"] = query
        return {"code": "code-1", "state": query["state"]}

    def token(self, form: dict[str, str]) -> dict[str, str] | None:
        """The token endpoint: the code once, and only with the verifier of the challenge."""
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if asked is None or digest != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "d-1001",
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        return {"id_token": jwt.encode(self.header, claims, self.sign_with), "access_token": "a", "token_type": "Bearer"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/.well-known/openid-configuration":
                    self._say(
                        {
                            "issuer": issuer.address,
                            "authorization_endpoint": f"{issuer.address}/authorize",
                            "token_endpoint": f"{issuer.address}/token",
                            "jwks_uri": f"{issuer.address}/keys",
                            **issuer.announced,
                        }
                    )
                else:
                    self._say({"keys": [issuer.key.as_dict(private=False)]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._say(issuer.token({name: values[0] for name, values in parse_qs(body).items()}))

            def _say(self, content: Any) -> None:
                self.send_response(issuer.status if content is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content or {"error": "invalid_grant"}).encode())

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def issuer(settings: Any, clock: MovableClock, world: World) -> Iterator[Issuer]:
    found = Issuer()
    found.now = int(clock.at.timestamp())
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = found.address, CLIENT, "s3cret"
    Person.objects.filter(pk=world.chen.pk).update(oidc_subject="d-1001")
    yield found
    found.server.shutdown()
    found.server.server_close()


def come_back(client: Client, issuer: Issuer, **changed: str) -> Any:
    begun = client.post("/sign-in/oidc", {"next": "/me/leave"})
    assert begun.status_code == 302
    return client.get("/sign-in/oidc/return", {**issuer.agree(begun["Location"]), **changed})


def test_a_person_enters_with_the_districts_account(world: World, issuer: Issuer) -> None:
    client = Client()
    answer = come_back(client, issuer)
    assert answer["Location"] == "/me/leave"
    assert client.get("/me").status_code == 200


def test_a_desk_shows_the_second_factor_unless_the_issuer_saw_one(world: World, issuer: Issuer) -> None:
    Person.objects.filter(pk=world.chen.pk).update(oidc_subject=None)
    Person.objects.filter(pk=world.lin.pk).update(oidc_subject="d-1001")
    assert come_back(Client(), issuer)["Location"] == "/sign-in/set-up"
    issuer.claims = {"amr": ["pwd", "otp"]}
    assert come_back(Client(), issuer)["Location"] == "/me/leave"


def test_state_is_good_once_and_only_in_the_browser_that_asked(world: World, issuer: Issuer) -> None:
    client = Client()
    begun = client.post("/sign-in/oidc")
    back = issuer.agree(begun["Location"])
    assert Client().get("/sign-in/oidc/return", back).status_code == 422
    assert client.get("/sign-in/oidc/return", {**back, "state": "x" * 43}).status_code == 422
    assert client.get("/sign-in/oidc/return", back).status_code == 422  # the wrong state used the try up
    client = Client()
    first = come_back(client, issuer)
    assert first.status_code == 302
    client.post("/sign-out")
    assert client.get("/sign-in/oidc/return", back).status_code == 422


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "http://127.0.0.1:1"}},
    "another audience": {"claims": {"aud": "somebody-else"}},
    "a second audience": {"claims": {"aud": [CLIENT, "somebody-else"]}},
    "another party": {"claims": {"azp": "somebody-else"}},
    "another nonce": {"claims": {"nonce": "replayed"}},
    "too old": {"claims": {"exp": 1000, "iat": 900}},
    "no subject": {"claims": {"sub": None}},
    "an unknown subject": {"claims": {"sub": "d-9999"}},
    "a strange key": {"sign_with": "other_key"},
    "another issuer announced": {"announced": {"issuer": "http://127.0.0.1:1"}},
    "another scheme announced": {"announced": {"token_endpoint": "file:///etc/passwd"}},
    "a server in trouble": {"status": 500},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_or_broken_issuer_lets_nobody_in(world: World, issuer: Issuer, lie: str) -> None:
    client = Client()
    begun = client.post("/sign-in/oidc")
    back = issuer.agree(begun["Location"])
    for name, value in LIES[lie].items():
        setattr(issuer, name, getattr(issuer, value) if value == "other_key" else value)
    answer = client.get("/sign-in/oidc/return", back)
    assert answer.status_code == 422
    assert not Session.objects.exclude(person=None).exists()


def test_a_token_signed_by_nobody_is_refused(world: World, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsigned(form: dict[str, str]) -> dict[str, str]:
        nonce = next(iter(issuer.codes.values()))["nonce"]
        claims = {"iss": issuer.address, "aud": CLIENT, "sub": "d-1001", "iat": issuer.now, "nonce": nonce}
        parts = [{"alg": "none"}, {**claims, "exp": issuer.now + 300}]
        encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
        return {"id_token": ".".join([*encoded, ""])}

    monkeypatch.setattr(issuer, "token", unsigned)
    assert come_back(Client(), issuer).status_code == 422


def test_an_unreachable_issuer_is_told_in_a_sentence(world: World, issuer: Issuer, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    answer = Client().post("/sign-in/oidc")
    assert answer.status_code == 422
    assert "统一身份登录没有成功" in answer.content.decode()


def test_there_is_no_such_way_in_unless_it_is_configured(world: World, clock: MovableClock) -> None:
    assert Client().post("/sign-in/oidc").status_code == 404
    assert Client().get("/sign-in/oidc/return").status_code == 404
    assert "/sign-in/oidc" not in Client().get("/sign-in").content.decode()


def test_only_the_person_ties_the_districts_account_to_their_own(world: World, issuer: Issuer) -> None:
    Person.objects.update(oidc_subject=None)
    stranger = Client()
    assert come_back(stranger, issuer).status_code == 422
    huang = world.client("huang")
    assert come_back(huang, issuer)["Location"] == "/me"
    assert Person.objects.get(oidc_subject="d-1001") == world.huang
    assert come_back(stranger, issuer).status_code == 302
    assert "黄海" in stranger.get("/me").content.decode()
    taken = world.client("chen")
    assert come_back(taken, issuer).status_code == 422
    assert huang.post("/me/unlink").status_code == 302
    assert come_back(Client(), issuer).status_code == 422


def test_what_begins_as_tying_does_not_end_in_another_account(world: World, issuer: Issuer) -> None:
    Person.objects.update(oidc_subject=None)
    client = world.client("huang")
    back = issuer.agree(client.post("/sign-in/oidc")["Location"])
    client.cookies["jiequ_session"] = world.client("liu").cookies["jiequ_session"].value
    assert client.get("/sign-in/oidc/return", back).status_code == 422
    assert not Person.objects.exclude(oidc_subject=None).exists()


def test_administrators_do_not_come_in_that_way(world: World, issuer: Issuer) -> None:
    Person.objects.update(oidc_subject=None)
    assert come_back(world.client("xi"), issuer).status_code == 422
    Person.objects.filter(pk=world.xi.pk).update(oidc_subject="d-1001")
    assert come_back(Client(), issuer).status_code == 422
