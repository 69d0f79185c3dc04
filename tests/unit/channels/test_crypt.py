"""Signatures and encryption of callbacks against published vectors, good and bad, and against what nobody published."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.channels import crypt
from jiequ.channels.crypt import CryptError, Envelope

KEY, APPID = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx2c2769f8efd9abc2"
ENVELOPE = Envelope(token="spamtest", aes_key=KEY, receiver=APPID)


@pytest.fixture(scope="session")
def vectors(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data/wechat/vectors.json").read_text(encoding="utf-8"))


def test_every_published_vector_comes_out_as_published(vectors: dict[str, Any]) -> None:
    checks = {"signature": _plain_signature, "jsapi_signature": _page_signature}
    for one in vectors["vectors"]:
        checks.get(one["kind"], _ciphertext)(one)
    assert len(vectors["vectors"]) >= 11


def _plain_signature(one: dict[str, Any]) -> None:
    assert crypt.is_signed(one["signature"], one["token"], one["timestamp"], one["nonce"])


def _page_signature(one: dict[str, Any]) -> None:
    words = {"nonce": one["noncestr"], "timestamp": one["timestamp"], "ticket": one["jsapi_ticket"]}
    assert crypt.jsapi_signature(url=one["url"] + "#a-part-of-the-page", **words) == one["signature"]


def _ciphertext(one: dict[str, Any]) -> None:
    account = {"key": one["encoding_aes_key"], "receiver": one["receive_id"]}
    assert crypt.decrypt(one["encrypt"], **account) == one["plaintext"]
    assert crypt.encrypt(one["plaintext"], random=bytes.fromhex(one["random16_hex"]), **account) == one["encrypt"]
    if "msg_signature" not in one:
        return
    envelope = Envelope(token=one["token"], aes_key=one["encoding_aes_key"], receiver=one["receive_id"])
    signed = {"signature": one["msg_signature"], "timestamp": one["timestamp"], "nonce": one["nonce"]}
    assert envelope.open(one["encrypt"], **signed) == one["plaintext"]
    for wrong in ({"nonce": one["nonce"] + "1"}, {"timestamp": "0"}, {"signature": one["msg_signature"][:-1]}):
        with pytest.raises(CryptError):
            envelope.open(one["encrypt"], **(signed | wrong))


def test_every_bad_vector_is_refused_even_if_somebody_signed_it(vectors: dict[str, Any]) -> None:
    ciphers = [one for one in vectors["negative"] if "encrypt" in one]
    assert len(ciphers) >= 3
    for one in ciphers:
        signed = crypt.signature("spamtest", "1", "2", one["encrypt"])
        with pytest.raises(CryptError):
            ENVELOPE.open(one["encrypt"], signature=signed, timestamp="1", nonce="2")


@given(st.text(max_size=200), st.text(max_size=12), st.text(max_size=12))
def test_what_is_sealed_opens_again_for_this_account_only(text: str, timestamp: str, nonce: str) -> None:
    reply = ENVELOPE.seal(text, timestamp=timestamp, nonce=nonce)
    signed = {"signature": reply["MsgSignature"], "timestamp": timestamp, "nonce": nonce}
    assert ENVELOPE.open(reply["Encrypt"], **signed) == text
    stranger = Envelope(token="spamtest", aes_key=KEY, receiver="wx0000000000000000")
    with pytest.raises(CryptError):
        stranger.open(reply["Encrypt"], **signed)


@given(st.binary(max_size=200) | st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_any_other_bytes_and_signatures_end_in_the_one_error(data: bytes | str, given_signature: str) -> None:
    encrypted = data if isinstance(data, str) else base64.b64encode(data).decode()
    with pytest.raises(CryptError):
        ENVELOPE.open(encrypted, signature=given_signature, timestamp="1", nonce="2")
    with pytest.raises(CryptError):
        crypt.decrypt(encrypted, key=KEY, receiver=APPID)


def test_a_key_may_have_bits_left_over_and_must_have_43_characters() -> None:
    assert len(crypt.key_bytes("B" * 42 + "C")) == 32
    for wrong in ("", KEY[:-1], KEY + "=", "!" * 43):
        with pytest.raises(ValueError):
            Envelope(token="t", aes_key=wrong, receiver=APPID)
    assert KEY not in repr(ENVELOPE)
