"""Signatures and message encryption of WeChat and WeCom callbacks (WXBizMsgCrypt), and the JS-SDK's signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

BLOCK = 32
"""PKCS#7 pads to multiples of 32 here, not of the cipher's 16."""


class CryptoError(Exception):
    """A text that this key did not make, or not for this receiver."""


def signature(*parts: str) -> str:
    """SHA-1 of the sorted parts: (token, timestamp, nonce) and, for an encrypted body, its ``Encrypt``."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Whether ``given`` is the signature of these parts."""
    return hmac.compare_digest(given.encode(), signature(*parts).encode())


def jsapi_signature(*, ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """What ``wx.config`` must be given for a page; ``url`` without its fragment."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.split('#')[0]}"
    return hashlib.sha1(text.encode()).hexdigest()


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey of 43 characters; bits left over in the last character are ignored."""
    if len(encoding_aes_key) != 43:
        raise CryptoError("EncodingAESKey must have 43 characters")
    return base64.b64decode(encoding_aes_key + "=")


def encrypt(text: str, *, key: str, receiver: str, random16: bytes | None = None) -> str:
    """Base64 of AES-256-CBC over random16 + length + text + receiver. ``random16``: only to repeat a known vector."""
    data = text.encode()
    plain = (random16 or os.urandom(16)) + struct.pack(">I", len(data)) + data + receiver.encode()
    fill = BLOCK - len(plain) % BLOCK
    secret = key_of(key)
    cipher = Cipher(AES(secret), CBC(secret[:16])).encryptor()
    return base64.b64encode(cipher.update(plain + bytes([fill]) * fill) + cipher.finalize()).decode()


def decrypt(encrypted: str, *, key: str, receiver: str) -> str:
    """The text; CryptoError if anything about it is wrong."""
    secret = key_of(key)
    try:
        data = base64.b64decode(encrypted, validate=True)
        cipher = Cipher(AES(secret), CBC(secret[:16])).decryptor()
        plain = cipher.update(data) + cipher.finalize()
        return _unwrap(plain, receiver)
    except (ValueError, struct.error, IndexError) as fault:  # UnicodeDecodeError is a ValueError
        raise CryptoError("not encrypted with this key") from fault


def _unwrap(plain: bytes, receiver: str) -> str:
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill:
        raise CryptoError("wrong padding")
    body = plain[16:-fill]
    (length,) = struct.unpack(">I", body[:4])
    if len(body) < 4 + length:
        raise CryptoError("shorter than it says")
    if body[4 + length :].decode() != receiver:
        raise CryptoError("for another receiver")
    return body[4 : 4 + length].decode()
