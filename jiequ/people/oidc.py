"""The district's own account as a way in: OpenID Connect, authorization code with PKCE (RFC 7636), state and nonce.

Talks to the issuer in ``JIEQU_OIDC_ISSUER`` only, with time limits, never inside a transaction. A subject stands for the
person who tied it to their own account while signed in; nobody gets an account by having one there.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from jiequ.core.errors import Refusal

from .models import Person
from .rules import Account

SECONDS = 8.0
ALGORITHMS = ["RS256", "ES256", "PS256"]
CLOCK_DRIFT_SECONDS = 60
STRONG_METHODS = frozenset({"mfa", "otp", "hwk", "swk", "sc", "fpt", "face"})
LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What one sign-in remembers until the issuer sends the browser back; used once."""

    state: str
    nonce: str
    verifier: str
    until: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Who the issuer says it is, and whether a second factor was shown there."""

    subject: str
    is_strong: bool


def is_on() -> bool:
    """True if this installation takes the district's accounts."""
    return bool(settings.OIDC_ISSUER)


def begin(return_address: str, *, at: datetime) -> tuple[str, dict[str, Any]]:
    """Where to send the browser, and what the session keeps meanwhile (ten minutes)."""
    asked = Asked(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        until=at.timestamp() + 600,
    )
    challenge = urlsafe_b64encode(sha256(asked.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": return_address,
        "scope": "openid",
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with _client() as client:
        address = _endpoint(_discover(client), "authorization_endpoint")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", asdict(asked)


def finish(kept: dict[str, Any] | None, query: dict[str, str], return_address: str, *, at: datetime) -> Answer:
    """Trades the code for an identity and checks it: state, signature, issuer, audience, time, nonce."""
    if not kept or kept["until"] < at.timestamp() or not compare_digest(kept["state"], query.get("state", "")):
        raise _failed("oidc_state")
    if "code" not in query:
        raise _failed("oidc_refused")
    with _client() as client:
        known = _discover(client)
        tokens = _fetch(
            client,
            "POST",
            _endpoint(known, "token_endpoint"),
            data={
                "grant_type": "authorization_code",
                "code": query["code"],
                "redirect_uri": return_address,
                "client_id": settings.OIDC_CLIENT_ID,
                "code_verifier": kept["verifier"],
            },
            auth=(settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET) if settings.OIDC_CLIENT_SECRET else None,
        )
        keys = _fetch(client, "GET", _endpoint(known, "jwks_uri"))
    return _identity(tokens, keys, kept["nonce"], at)


def person_of(answer: Answer) -> Person:
    """The active member of staff who tied this subject to their account; refuses everybody else."""
    person = Person.objects.active().filter(oidc_subject=answer.subject, account=Account.STAFF).first()
    if person is None:
        raise Refusal("oidc_unknown", _("这个统一账号还没有关联。请先用用户名和密码登录，在“我的”里关联。"))
    return person


def _identity(tokens: Any, keys: Any, nonce: str, at: datetime) -> Answer:
    now = int(at.timestamp())
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=CLOCK_DRIFT_SECONDS,
        iss={"essential": True, "value": settings.OIDC_ISSUER},
        aud={"essential": True, "value": settings.OIDC_CLIENT_ID},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims
        registry.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise _failed("oidc_token") from None
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != settings.OIDC_CLIENT_ID:
        raise _failed("oidc_token")
    methods = claims.get("amr")
    shown = {str(method) for method in methods} if isinstance(methods, list) else set()
    return Answer(subject=str(claims["sub"])[:255], is_strong=bool(STRONG_METHODS & shown))


def _client() -> httpx.Client:
    return httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False)


def _discover(client: httpx.Client) -> dict[str, Any]:
    known: dict[str, Any] = _fetch(client, "GET", f"{settings.OIDC_ISSUER}/.well-known/openid-configuration")
    if known.get("issuer") != settings.OIDC_ISSUER:
        raise _failed("oidc_issuer")
    return known


def _endpoint(known: dict[str, Any], name: str) -> str:
    """An address the issuer announces; https when the issuer's own is."""
    address = str(known.get(name, ""))
    scheme = settings.OIDC_ISSUER.split(":", 1)[0]
    if not address.startswith(f"{scheme}://"):
        raise _failed("oidc_issuer")
    return address


def _fetch(client: httpx.Client, method: str, address: str, **given: Any) -> Any:
    try:
        answer = client.request(method, address, **given)
        if answer.status_code != 200 or len(answer.content) > LARGEST_ANSWER:
            raise _failed("oidc_unreachable")
        found = answer.json()
    except (httpx.HTTPError, ValueError):
        raise _failed("oidc_unreachable") from None
    if not isinstance(found, dict):
        raise _failed("oidc_unreachable")
    return found


def _failed(code: str) -> Refusal:
    return Refusal(code, _("统一身份登录没有成功，请再试一次，或用用户名和密码登录。"))
