"""Signatures and message encryption of callbacks (WXBizMsgCrypt): the same for the official account and for WeCom.

Facts: WXBizMsgCrypt of Tencent's documents (wework-docs, appendix "encryption and decryption"): AES-256-CBC with the first 16
bytes of the key as IV, PKCS#7 to multiples of **32**; inside: 16 random bytes, the length (big endian), the text, the receiver.
Whatever is wrong with a text from outside, one exception says so and not what: the sender learns nothing from the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32
HEAD = 16
KEY_CHARACTERS = 43


class CryptError(Exception):
    """Not signed with this token, or not encrypted with this key for this receiver."""

    def __init__(self) -> None:
        super().__init__("not signed and encrypted for this account")


def signature(*parts: str) -> str:
    """SHA-1 of the sorted parts in hex: (token, timestamp, nonce), and the ``Encrypt`` field where there is one."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Whether ``given`` is the signature of these parts, compared in constant time."""
    return hmac.compare_digest(given.encode(), signature(*parts).encode())


def jsapi_signature(*, ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """The signature that ``wx.config`` wants for the page at ``url`` (its fragment does not count)."""
    page = url.partition("#")[0]
    return hashlib.sha1(f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}".encode()).hexdigest()


def key_bytes(aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey (43 characters). Bits left over in its last character are ignored, as Tencent's
    own code does: real keys have them. Raises ValueError."""
    text = aes_key.strip()
    if len(text) != KEY_CHARACTERS:
        raise ValueError(f"an EncodingAESKey has {KEY_CHARACTERS} characters, not {len(text)}")
    return base64.b64decode(text + "=", validate=True)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one account and its platform share. ``receiver``: the appid, or the corpid. Raises ValueError for a bad key."""

    token: str
    aes_key: str = field(repr=False)
    receiver: str

    def __post_init__(self) -> None:
        key_bytes(self.aes_key)

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> str:
        """The text inside, if the platform signed this very ciphertext; else CryptError, whatever is wrong with it."""
        try:
            if is_signed(signature, self.token, timestamp, nonce, encrypted):
                return decrypt(encrypted, key=self.aes_key, receiver=self.receiver)
        except UnicodeEncodeError:  # half a surrogate pair in a query
            pass
        raise CryptError

    def seal(self, text: str, *, timestamp: str, nonce: str) -> dict[str, str]:
        """The fields of an encrypted reply: Encrypt, MsgSignature, TimeStamp, Nonce."""
        encrypted = encrypt(text, key=self.aes_key, receiver=self.receiver)
        signed = signature(self.token, timestamp, nonce, encrypted)
        return {"Encrypt": encrypted, "MsgSignature": signed, "TimeStamp": timestamp, "Nonce": nonce}


def encrypt(text: str, *, key: str, receiver: str, random: bytes | None = None) -> str:
    """Base64 of the encrypted text. ``random``: 16 bytes, given only to repeat a published vector."""
    body = text.encode()
    plain = (random or os.urandom(HEAD)) + len(body).to_bytes(4, "big") + body + receiver.encode()
    fill = BLOCK - len(plain) % BLOCK
    writer = _cipher(key).encryptor()
    return base64.b64encode(writer.update(plain + bytes([fill] * fill)) + writer.finalize()).decode()


def decrypt(encrypted: str, *, key: str, receiver: str) -> str:
    """The text; CryptError for anything that this key did not make for this receiver. Check the signature first."""
    reader = _cipher(key).decryptor()
    try:
        plain = reader.update(base64.b64decode(encrypted, validate=True)) + reader.finalize()
        text, whose = _parts(plain)
        if hmac.compare_digest(whose, receiver.encode()):
            return text.decode()
    except ValueError:  # no base64, no whole blocks, no UTF-8, cut off
        pass
    raise CryptError


def _cipher(key: str) -> Cipher[CBC]:
    secret = key_bytes(key)
    return Cipher(AES256(secret), CBC(secret[:16]))


def _parts(plain: bytes) -> tuple[bytes, bytes]:
    """Text and receiver; ValueError if padding or length are impossible."""
    fill = plain[-1] if plain else 0
    if not 1 <= fill <= BLOCK or not plain.endswith(bytes([fill] * fill)):
        raise ValueError("padding")
    body = plain[HEAD:-fill]
    end = 4 + int.from_bytes(body[:4], "big")
    if len(body) < max(4, end):
        raise ValueError("length")
    return body[4:end], body[end:]
