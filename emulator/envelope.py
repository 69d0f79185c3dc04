"""How a push is packed, and how its answer is read, in the plain, compatible and secure mode."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from emulator import crypto
from emulator.faults import Fault
from emulator.xml import XmlError, from_xml, to_xml

REPLY_KINDS = (
    *("text", "image", "voice", "video", "music", "news", "transfer_customer_service"),
    *("update_button", "update_template_card"),  # WeCom, to a tap on a card
)
PARTS = ("Articles", "Image", "Voice", "Video", "Music", "Button", "TemplateCard")
"""Elements of a reply that hold elements; an empty one counts as none."""
XXE = '<!DOCTYPE xml [<!ENTITY leak SYSTEM "file:///etc/hostname">]>'


@dataclass
class Target:
    """Whom to tell. ``receiver``: the appid or corpid in the ciphertext; ``is_work``: WeCom, for an ``agent`` or contacts."""

    url: str
    token: str
    aes_key: str
    receiver: str
    mode: str
    openid: str = ""
    agent: str = ""
    is_work: bool = False


@dataclass
class Outcome:
    """``kind``: silent, reply, malformed (answered, but not as agreed), failed (not answered), dropped."""

    kind: str
    why: str = ""
    reply: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0


def sealed(target: Target, fields: dict[str, Any], *, now: float, wrong: Fault | None = None) -> tuple[dict[str, str], str]:
    """The query and the body of one attempt; ``wrong``: with this fault in it."""
    kind = wrong.kind if wrong else ""
    stamp = str(int(now - wrong.seconds if wrong and kind == "stale" else now))
    nonce = str(secrets.randbelow(10**9))
    if wrong and kind == "oversized":
        fields = {**fields, "Padding": "x" * wrong.count * 1024}
    query = {"timestamp": stamp, "nonce": nonce}
    body = dict(fields)
    if not target.is_work:
        query = {"signature": crypto.signature(target.token, stamp, nonce), **query, "openid": target.openid}
    if target.mode != "plain":
        cipher = _cipher(target, fields, kind)
        query |= {"msg_signature": crypto.signature(target.token, stamp, nonce, cipher)}
        query |= {} if target.is_work else {"encrypt_type": "aes"}
        body = body if target.mode == "compatible" else {"ToUserName": fields["ToUserName"]}
        body |= {"Encrypt": cipher} | ({"AgentID": target.agent} if target.agent else {})
    if kind == "wrong_signature":
        query |= {
            name: crypto.signature("not", "the", "token", nonce) for name in ("signature", "msg_signature") if name in query
        }
    return query, _text(body, kind)


def _cipher(target: Target, fields: dict[str, Any], kind: str) -> str:
    receiver = "wx0000000000000000" if kind == "foreign_appid" else target.receiver
    cipher = crypto.encrypt(to_xml(fields), key=target.aes_key, receiver=receiver)
    if kind == "garbled":
        middle = len(cipher) // 2
        cipher = cipher[:middle] + ("A" if cipher[middle] != "A" else "B") + cipher[middle + 1 :]
    return cipher


def _text(body: dict[str, Any], kind: str) -> str:
    text = to_xml(body)
    return XXE + text.replace("<xml>", "<xml><Leak>&leak;</Leak>", 1) if kind == "xxe" else text


def question(target: Target, *, now: float) -> tuple[dict[str, str], str]:
    """The query of a verification and the answer that proves the owner. WeCom's echostr is encrypted, WeChat's is not."""
    stamp, nonce, word = str(int(now)), str(secrets.randbelow(10**9)), str(secrets.randbelow(10**19))
    if not target.is_work:
        query = {"signature": crypto.signature(target.token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
        return {**query, "echostr": word}, word
    cipher = crypto.encrypt(word, key=target.aes_key, receiver=target.receiver)
    signed = crypto.signature(target.token, stamp, nonce, cipher)
    return {"msg_signature": signed, "timestamp": stamp, "nonce": nonce, "echostr": cipher}, word


def read(target: Target, fields: dict[str, Any], status: int, text: str) -> Outcome:
    """What an answer means. HTTP other than 200 counts as none."""
    if status != 200:
        return Outcome("failed", f"HTTP {status}")
    if text.strip() in ("", "success"):
        return Outcome("silent")
    try:
        reply = _opened(target, from_xml(text))
    except (XmlError, crypto.CryptoError) as fault:
        return Outcome("malformed", str(fault))
    if reply.get("ToUserName") != fields["FromUserName"] or reply.get("FromUserName") != fields["ToUserName"]:
        return Outcome("malformed", "ToUserName and FromUserName are not swapped")
    if reply.get("MsgType") not in REPLY_KINDS:
        return Outcome("malformed", f"no reply of type {reply.get('MsgType')!r}")
    if wrong := _wrong_part(reply):
        return Outcome("malformed", wrong)
    return Outcome("reply", reply=reply)


def _wrong_part(reply: dict[str, Any]) -> str:
    """Which element holds text instead of elements or the other way round; an empty text if none does."""
    if not isinstance(reply.get("Content") or "", str):
        return "Content is no text"
    for name in PARTS:
        if not isinstance(reply.get(name) or {}, dict):
            return f"{name} is text"
    if not isinstance((reply.get("TemplateCard") or {}).get("MainTitle") or {}, dict):
        return "TemplateCard.MainTitle is text"
    items = (reply.get("Articles") or {}).get("item", [])
    if not all(isinstance(one, dict) for one in (items if isinstance(items, list) else [items])):
        return "Articles.item is text"
    return ""


def _opened(target: Target, reply: dict[str, Any]) -> dict[str, Any]:
    """Secure mode wants a ciphertext, plain mode a plain text, compatible takes either."""
    if "Encrypt" not in reply:
        if target.mode == "secure":
            raise XmlError("a plain reply in secure mode")
        return reply
    if target.mode == "plain":
        raise XmlError("an encrypted reply in plain mode")
    parts = (target.token, str(reply.get("TimeStamp", "")), str(reply.get("Nonce", "")), str(reply["Encrypt"]))
    if not crypto.is_signed(str(reply.get("MsgSignature", "")), *parts):
        raise XmlError("wrong MsgSignature")
    return from_xml(crypto.decrypt(str(reply["Encrypt"]), key=target.aes_key, receiver=target.receiver))
