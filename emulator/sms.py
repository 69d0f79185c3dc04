"""A text-message provider in the form of Alibaba Cloud's SMS (RPC, 2017-05-25).

Sources: the provider's pages on SendSms and SmsReport; limits and codes beyond them from memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from calendar import timegm
from datetime import UTC, datetime
from time import strptime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import httpx

from emulator import chat
from emulator.clock import CHINA
from emulator.http import Answer, Request, as_json, parsed
from emulator.store import Sms, SmsProvider, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
SLOT = re.compile(r"\$\{(\w+)\}")
LONGEST_VALUE = 35
FRESH_SECONDS = 900
REPORT_AFTER, REPORT_AGAIN, REPORT_TRIES = 0.3, 60.0, 3
DELIVERED = "DELIVERED"
STATUS = {"sending": 1, "failed": 2, "delivered": 3}


class Wrong(Exception):
    """A refusal; HTTP 200 for what the message lacks, 4xx for who asks."""

    def __init__(self, code: str, words: str, status: int = 200) -> None:
        self.code, self.words, self.status = code, words, status
        super().__init__(code)


def signature(method: str, query: dict[str, str], secret: str) -> str:
    """HMAC-SHA1 over the sorted query, each part quoted twice over."""
    sorted_query = "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query) if name != "Signature")
    text = f"{method}&%2F&{_quoted(sorted_query)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


async def answer(emu: Emulator, request: Request) -> Answer:
    """``/sms/``."""
    number = secret_text(32).upper()
    query = request.query | dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        _authenticate(emu, request.method, query)
        deeds = {"SendSms": _send, "QuerySendDetails": _details}
        if query.get("Action") not in deeds:
            raise Wrong("InvalidAction.NotFound", "Specified api is not found.", 404)
        return as_json({**deeds[query["Action"]](emu, query), "RequestId": number})
    except Wrong as fault:
        return as_json({"Code": fault.code, "Message": fault.words, "RequestId": number}, fault.status)


def _authenticate(emu: Emulator, method: str, query: dict[str, str]) -> None:
    provider = emu.state.sms_provider
    if not provider.key_id or query.get("AccessKeyId") != provider.key_id:
        raise Wrong("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
    try:
        asked = timegm(strptime(query.get("Timestamp", ""), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError as fault:
        raise Wrong("InvalidTimeStamp.Format", "Specified time stamp is not well formatted.", 400) from fault
    if abs(emu.clock.now() - asked) > FRESH_SECONDS:
        raise Wrong("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", 400)
    if not hmac.compare_digest(signature(method, query, provider.key_secret), query.get("Signature", "")):
        raise Wrong("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.", 400)
    _once(emu, provider, query.get("SignatureNonce", ""))


def _once(emu: Emulator, provider: SmsProvider, nonce: str) -> None:
    now = emu.clock.now()
    provider.nonces = {one: at for one, at in provider.nonces.items() if now - at < FRESH_SECONDS}
    if not nonce or nonce in provider.nonces:
        raise Wrong("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
    provider.nonces[nonce] = now


def _send(emu: Emulator, query: dict[str, str]) -> dict[str, Any]:
    provider = emu.state.sms_provider
    numbers = query.get("PhoneNumbers", "").split(",")
    found = [MOBILE.fullmatch(one.strip()) for one in numbers]
    if not all(found) or len(numbers) > 1000:
        raise Wrong("isv.MOBILE_NUMBER_ILLEGAL", "号码格式错误")
    if query.get("SignName") not in provider.signs:
        raise Wrong("isv.SMS_SIGNATURE_ILLEGAL", "签名不合法(不存在或被拉黑)")
    text = _text(provider, query)
    mobiles = [one[1] for one in found if one]
    for mobile in mobiles:
        _limit(emu, provider, mobile, query["SignName"])
    number = secret_text(20)
    for mobile in mobiles:
        sign, template, out_id = query["SignName"], query["TemplateCode"], query.get("OutId", "")
        _take(emu, Sms(number, emu.clock.now(), mobile, sign, template, text, out_id))
    return {"Code": "OK", "Message": "OK", "BizId": number}


def _text(provider: SmsProvider, query: dict[str, str]) -> str:
    words = provider.templates.get(query.get("TemplateCode", ""))
    if words is None:
        raise Wrong("isv.SMS_TEMPLATE_ILLEGAL", "模板不合法(不存在或被拉黑)")
    try:
        given = parsed(query.get("TemplateParam") or "{}")
        values = {str(name): str(value) for name, value in given.items()}
    except (ValueError, AttributeError) as fault:
        raise Wrong("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值") from fault
    if any(len(value) > LONGEST_VALUE for value in values.values()):
        raise Wrong("isv.PARAM_LENGTH_LIMIT", "参数超出长度限制")
    if missing := [name for name in SLOT.findall(words) if name not in values]:
        raise Wrong("isv.TEMPLATE_MISSING_PARAMETERS", f"模板缺少变量: {missing[0]}")
    return f"【{query['SignName']}】" + SLOT.sub(lambda slot: values[slot[1]], words)


def _limit(emu: Emulator, provider: SmsProvider, mobile: str, sign: str) -> None:
    ages = [emu.clock.now() - one.at for one in emu.state.sms if one.mobile == mobile and one.sign == sign]
    for words, seconds, most in (
        ("分钟", 60, provider.a_minute),
        ("小时", 3600, provider.an_hour),
        ("天", 86_400, provider.a_day),
    ):
        if sum(age < seconds for age in ages) >= most:
            raise Wrong("isv.BUSINESS_LIMIT_CONTROL", f"触发{words}级流控Permits:{most}")


def _take(emu: Emulator, sms: Sms) -> None:
    """On its way; delivered, or not as ``sms_status`` of the settings plans, a moment later."""
    emu.state.sms.append(sms)
    plan = emu.state.settings.get("sms_status", [])
    code = plan.pop(0) if plan else DELIVERED
    emu.later(emu.state.settings.get("status_after", REPORT_AFTER), lambda: _arrive(emu, sms, code))


async def _arrive(emu: Emulator, sms: Sms, code: str) -> None:
    sms.status, sms.error = ("delivered", "") if code == DELIVERED else ("failed", code)
    if sms.status == "delivered":
        for person in emu.state.people.values():
            if person.mobile == sms.mobile:
                chat.add(emu, person, "sms", "account", "text", {"text": sms.text})
    await _report(emu, emu.state.sms_provider.report_url, [_report_of(emu, sms, code)], "sms.report")


def _report_of(emu: Emulator, sms: Sms, code: str) -> dict[str, Any]:
    is_delivered = code == DELIVERED
    return {
        "phone_number": sms.mobile, "send_time": _moment(sms.at), "report_time": _moment(emu.clock.now()),
        "success": is_delivered, "err_code": code, "err_msg": "用户接收成功" if is_delivered else "发送失败",
        "sms_size": "1", "biz_id": sms.id, "out_id": sms.out_id,
    }  # fmt: skip


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


async def _report(emu: Emulator, url: str, rows: list[dict[str, Any]], kind: str) -> None:
    """Tell the customer's address; it answers ``{"code": 0}``, else it is told again."""
    for _try in range(REPORT_TRIES if url else 0):
        status, text = 0, ""
        try:
            sent = await emu.clock.within(5.0, emu.pusher.client().post(url, json=rows))
            status, text = sent.status_code, sent.text
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            text = ""
        emu.transcript.write(
            at=emu.clock.now(), way="out", service="sms", method="POST", path=url, query={}, body=rows,
            status=status, answer=text, kind=kind,
        )  # fmt: skip
        if status == 200 and re.search(r'"code"\s*:\s*0', text):
            return
        await emu.clock.sleep(REPORT_AGAIN)


async def reply(emu: Emulator, mobile: str, text: str) -> None:
    """Somebody answers a text message: told to the same address."""
    row = {
        "phone_number": mobile,
        "send_time": _moment(emu.clock.now()),
        "content": text,
        "dest_code": "9001",
        "sequence_id": 1,
    }
    await _report(emu, emu.state.sms_provider.report_url, [row], "sms.up")


def _details(emu: Emulator, query: dict[str, str]) -> dict[str, Any]:
    mine = [
        one
        for one in emu.state.sms
        if one.mobile == query.get("PhoneNumber") and query.get("BizId") in (None, "", one.id)
        and datetime.fromtimestamp(one.at, tz=CHINA).strftime("%Y%m%d") == query.get("SendDate")
    ]  # fmt: skip
    rows = [
        {
            "PhoneNum": one.mobile, "SendStatus": STATUS[one.status], "ErrCode": one.error or DELIVERED, "OutId": one.out_id,
            "TemplateCode": one.template, "Content": one.text, "SendDate": _moment(one.at), "ReceiveDate": _moment(one.at),
        }
        for one in mine
    ]  # fmt: skip
    return {"Code": "OK", "Message": "OK", "TotalCount": len(rows), "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}}
