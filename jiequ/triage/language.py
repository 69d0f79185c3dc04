"""The language model, where a district runs one: an OpenAI-compatible address, off until it is set.

What leaves is masked first (phones, ids, names); what comes back is a draft or one of a list, or it is thrown away. Calls go
through the outgoing guard with its limits, in no transaction; a late, broken or strange answer is as if there were none.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings

from jiequ.core import outgoing
from jiequ.core.outgoing import Unreachable

MOST_WORDS = 2000
LONGEST_SUMMARY, LONGEST_REPLY = 120, 500
LARGEST_ANSWER = 64 * 1024
AT_A_TIME = 2
"""Calls of one process at a time: a slow model holds up no more of its threads."""
_turns = threading.BoundedSemaphore(AT_A_TIME)

SUMMARY = "你为街道受理员概括居民的反映。只用原文里的事实，一句话，不超过60个字，不写人名、电话和门牌。"  # data
TIE = "你为街道受理员选事件类型。只回答下面列表里最合适的一个编号，不写别的；都不合适就回答0。"  # data
REPLY = "你为街道受理员起草答复。只用给出的事实，说清查到什么、做了什么、何时完成；没有的不写，不承诺日期，150字内。"  # data


class NoAnswer(Exception):
    """There is none that can be used; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_on() -> bool:
    """True where the operator named an address and a model."""
    return bool(settings.MODEL_URL and settings.MODEL_NAME)


def summary(words: str) -> str:
    """What a report says, in one line. Raises NoAnswer."""
    said = " ".join(_asked(SUMMARY, masked(words)).split())
    if not said or len(said) > LONGEST_SUMMARY:
        raise NoAnswer("bad_answer")
    return masked(said)


def tie_break(words: str, choices: Sequence[tuple[str, str]]) -> str:
    """Which of the (code, name) fits best: the code of one that was offered. Raises NoAnswer for anything else."""
    listed = "\n".join(f"{place}. {name}" for place, (_code, name) in enumerate(choices, 1))
    said = _asked(f"{TIE}\n{listed}", masked(words)).strip().rstrip(".。")
    if not re.fullmatch(r"[1-9]", said) or int(said) > len(choices):
        raise NoAnswer("not_in_list")
    return choices[int(said) - 1][0]


def draft_reply(words: str, facts: Sequence[str]) -> str:
    """A reply to be read, changed and sent by a person. Raises NoAnswer."""
    given = "\n".join(["居民反映：" + masked(words), "办理事实：", *(masked(fact) for fact in facts)])  # data
    said = _asked(REPLY, given).strip()
    if not said or len(said) > LONGEST_REPLY:
        raise NoAnswer("bad_answer")
    return masked(said)


def masked(text: str) -> str:
    """Without phones, ids and names, and no longer than need be."""
    masking = import_module("jiequ.triage.engine.masking")  # its word lists are read only where a model is asked
    return str(masking.mask(text[:MOST_WORDS]).text)


def _asked(system: str, user: str) -> str:
    """The model's words. One call, within the seconds that the operator allows."""
    if not is_on():
        raise NoAnswer("off")
    if not _turns.acquire(blocking=False):
        raise NoAnswer("busy")
    try:
        return _content(_call(system, user))
    finally:
        _turns.release()


def _call(system: str, user: str) -> bytes:
    body = {
        "model": settings.MODEL_NAME,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "temperature": 0,
        "max_tokens": 400,
        "stream": False,
    }
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if settings.MODEL_KEY:
        headers["Authorization"] = f"Bearer {settings.MODEL_KEY}"
    try:
        answer = outgoing.fetch(
            settings.MODEL_URL + "/chat/completions",
            method="POST",
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers=headers,
            seconds=settings.MODEL_SECONDS,
            largest=LARGEST_ANSWER,
        )
    except Unreachable as fault:
        raise NoAnswer(fault.code) from None
    if answer.status != 200:
        raise NoAnswer("refused")
    return answer.body


def _content(body: bytes) -> str:
    try:
        told: Any = json.loads(body)
        said = told["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise NoAnswer("bad_answer") from None
    if not isinstance(said, str):
        raise NoAnswer("bad_answer")
    return said
