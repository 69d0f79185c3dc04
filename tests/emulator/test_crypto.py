"""Signatures and encryption against public vectors, the good and the bad ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import crypto
from emulator.geo import gcj02
from emulator.xml import XmlError, from_xml, to_xml

KEY, APPID = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxb11529c136998cb6"


@pytest.fixture(scope="session")
def vectors(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data/wechat/vectors.json").read_text(encoding="utf-8"))


def test_every_public_vector_comes_out_as_published(vectors: dict[str, Any]) -> None:
    seen = set()
    for one in vectors["vectors"]:
        seen.add(one["kind"])
        if one["kind"] == "signature":
            assert crypto.signature(one["token"], one["timestamp"], one["nonce"]) == one["signature"]
        elif one["kind"] == "jsapi_signature":
            words = {"nonce": one["noncestr"], "timestamp": one["timestamp"], "url": one["url"]}
            assert crypto.jsapi_signature(ticket=one["jsapi_ticket"], **words) == one["signature"]
        else:
            _check_cipher(one)
    assert seen == {"encrypt", "verify_url", "decrypt_json", "decrypt_xml", "signature", "jsapi_signature"}


def _check_cipher(one: dict[str, Any]) -> None:
    key, receiver = one["encoding_aes_key"], one["receive_id"]
    assert crypto.decrypt(one["encrypt"], key=key, receiver=receiver) == one["plaintext"]
    random16 = bytes.fromhex(one["random16_hex"])
    assert crypto.encrypt(one["plaintext"], key=key, receiver=receiver, random16=random16) == one["encrypt"]
    if "msg_signature" in one:
        parts = (one["token"], one["timestamp"], one["nonce"], one["encrypt"])
        assert crypto.is_signed(one["msg_signature"], *parts)
    if "negative" in one:
        wrong = (one["token"], one["timestamp"], one["negative"]["nonce"], one["encrypt"])
        assert not crypto.is_signed(one["msg_signature"], *wrong)


def test_every_bad_vector_is_refused(vectors: dict[str, Any]) -> None:
    ciphers = [one for one in vectors["negative"] if "encrypt" in one]
    assert len(ciphers) >= 3
    for one in ciphers:
        with pytest.raises(crypto.CryptoError):
            crypto.decrypt(one["encrypt"], key=KEY, receiver="wx2c2769f8efd9abc2")


def test_places_are_moved_as_another_library_moves_them(shared: Path) -> None:
    vectors = json.loads((shared / "data/geo_vectors.json").read_text(encoding="utf-8"))["vectors"]
    assert vectors
    for one in vectors:
        lon, lat = one["wgs84"]
        assert gcj02(lat, lon) == pytest.approx((one["gcj02"][1], one["gcj02"][0]), abs=2e-6)


def test_a_message_for_another_account_is_refused() -> None:
    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(crypto.encrypt("x", key=KEY, receiver=APPID), key=KEY, receiver="wx0000000000000000")


@given(st.text(max_size=200), st.binary(min_size=16, max_size=16))
def test_what_is_encrypted_is_read_again(text: str, random16: bytes) -> None:
    cipher = crypto.encrypt(text, key=KEY, receiver=APPID, random16=random16)
    assert crypto.decrypt(cipher, key=KEY, receiver=APPID) == text


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused_with_one_error(data: bytes) -> None:
    import base64

    with pytest.raises(crypto.CryptoError):
        crypto.decrypt(base64.b64encode(data).decode(), key=KEY, receiver=APPID)


WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\r"), max_size=60)


@given(WORDS)
def test_any_text_survives_the_xml(text: str) -> None:
    given = {"ToUserName": "a", "Content": text, "Info": {"Count": 1, "Item": ["一", "二"]}}
    found = from_xml(to_xml(given))
    assert found["Content"] == text
    assert found["Info"] == {"Count": "1", "Item": ["一", "二"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "success",
        '{"a": 1}',
        "<xml>",
        "<a/>",
        "<!DOCTYPE xml><xml><a>1</a></xml>",
        "<xml>" + "x" * 70_000,
        "<xml>" + "<a>" * 5000 + "</a>" * 5000 + "</xml>",
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(XmlError):
        from_xml(text)
