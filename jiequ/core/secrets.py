"""Sealed texts and blind look-ups: a reporter's phone is stored so that the database alone says nothing.

Keys: ``JIEQU_DATA_KEYS="k2:hex,k1:hex"`` (32 bytes each). The first seals, every one unseals. To rotate, put a new
key in front and restart; the nightly job ``core.reseal`` seals every registered column anew, then old keys may be
removed, except the last. The last (oldest) key is also the root of the blind index, which must survive a rotation. To
be able to remove that one too, pin the derived key first: ``JIEQU_BLIND_KEY`` takes what ``blind_key_hex()`` returns.

A sealed value is ``<key id>.<base64 of nonce and AES-256-GCM ciphertext>``. Its purpose is bound to it as associated
data: a value copied into a column of another purpose does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .db import writing
from .kinds import every

NONCE_BYTES = 12
_KEY = re.compile(r"^(?P<id>[a-z0-9]{1,8}):(?P<hex>[0-9a-fA-F]{64})$")


class SealBroken(ValueError):
    """A sealed value does not open: changed, of another purpose, or its key is no longer in the ring."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys in use: ``first`` seals, ``keys`` (by id, newest first) unseal, ``blind`` makes look-ups."""

    first: str
    keys: dict[str, bytes]
    blind: bytes


def seal(text: str, purpose: str) -> str:
    """Encrypt ``text`` for one purpose ("report.phone"). Twice the same text gives two different values."""
    ring = _ring()
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(ring.keys[ring.first]).encrypt(nonce, text.encode(), purpose.encode())
    return f"{ring.first}.{urlsafe_b64encode(sealed).decode()}"


def unseal(value: str, purpose: str) -> str:
    """The text of a sealed value; raises SealBroken."""
    key_id, _, payload = value.partition(".")
    key = _ring().keys.get(key_id)
    if key is None:
        raise SealBroken(f"no key {key_id[:8]!r} in JIEQU_DATA_KEYS")
    try:
        sealed = urlsafe_b64decode(payload.encode())
        if urlsafe_b64encode(sealed).decode() != payload:  # bits that base64 ignores were changed
            raise ValueError("not written by seal")
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SealBroken(f"a value sealed for {purpose!r} does not open") from error


def blind(text: str, purpose: str) -> str:
    """What is looked up in place of ``text``: HMAC-SHA256, 64 hex digits, the same for the same text and purpose.

    Normalise the text first (digits only for a phone): equal values are found, similar ones are not.
    """
    return hmac.new(_ring().blind, purpose.encode() + b"\0" + text.encode(), hashlib.sha256).hexdigest()


def blind_key_hex() -> str:
    """The look-up key, for an operator who pins it in JIEQU_BLIND_KEY before the oldest data key goes."""
    return _ring().blind.hex()


def is_current(value: str) -> bool:
    """True if the first key of the ring sealed it."""
    return value.startswith(_ring().first + ".")


# -- rotation ------------------------------------------------------------------------------------------------------

_COLUMNS: dict[tuple[str, str], str] = {}


def sealed_column(model: str, field: str, purpose: str) -> None:
    """Tell the rotation about a column: ``sealed_column("people.Person", "totp_sealed", "people.totp")``. Call at import."""
    _COLUMNS[(model, field)] = purpose


@every("core.reseal", daily_at="03:50")
def reseal(*, at: datetime | None = None, limit: int = 1000) -> int:
    """Seal up to ``limit`` values per registered column with the first key; returns how many. Runs nightly.

    Each is written only if it has not changed meanwhile. A value that does not open stays as it is and does not stop
    the rest; at the end SealBroken names such rows.
    """
    done, broken = 0, []
    for (model, field), purpose in sorted(_COLUMNS.items()):
        for pk, value in list(_stale(model, field).order_by("pk").values_list("pk", field)[:limit]):
            try:
                done += _reseal_one(model, field, purpose, pk, value)
            except SealBroken:
                broken.append(f"{model}.{field} of row {pk}")
    if broken:
        raise SealBroken(f"{done} values sealed anew; {len(broken)} do not open: {', '.join(broken[:10])}")
    return done


def stale_values() -> int:
    """How many registered values an older key still holds; 0 means that older keys may go."""
    return sum(_stale(model, field).count() for model, field in _COLUMNS)


def _stale(model: str, field: str):  # type: ignore[no-untyped-def]  # a QuerySet of a model known only by name
    rows = apps.get_model(model)._default_manager.exclude(**{f"{field}__startswith": _ring().first + "."})
    return rows.exclude(**{field: ""}).exclude(**{f"{field}__isnull": True})


def _reseal_one(model: str, field: str, purpose: str, pk: object, value: str) -> int:
    fresh = seal(unseal(value, purpose), purpose)
    with writing():
        return apps.get_model(model)._default_manager.filter(pk=pk, **{field: value}).update(**{field: fresh})


# -- the ring ------------------------------------------------------------------------------------------------------


def check_keys() -> None:
    """Raise ImproperlyConfigured, in plain words, if JIEQU_DATA_KEYS or JIEQU_BLIND_KEY cannot be used."""
    _ring()


def _ring() -> Ring:
    return _parse(settings.DATA_KEYS, getattr(settings, "BLIND_KEY", ""))


@lru_cache(maxsize=4)
def _parse(text: str, blind_hex: str) -> Ring:
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        found = _KEY.match(part.strip())
        if found is None or found["id"] in keys:
            raise ImproperlyConfigured("JIEQU_DATA_KEYS must read k2:hex,k1:hex; each id once, each key 64 hex digits.")
        keys[found["id"]] = bytes.fromhex(found["hex"])
    oldest = list(keys.values())[-1]
    return Ring(first=next(iter(keys)), keys=keys, blind=_blind_key(blind_hex) or _derived(oldest))


def _blind_key(text: str) -> bytes:
    if text and not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ImproperlyConfigured("JIEQU_BLIND_KEY must be 64 hex digits, or empty.")
    return bytes.fromhex(text)


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jiequ blind index v1").derive(key)
