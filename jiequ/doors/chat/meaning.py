"""What somebody means by a few words in a chat: a command, a number, a place, an emergency, a language. Nothing of Django."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

LEAST_WORDS = 4
"""Characters with which a chat that has no draft begins one (P): "在吗" gets the menu, "河道堵了" is a report."""


class Command(StrEnum):
    """What a word or a menu button asks for."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    RESUME = "resume"
    PROGRESS = "progress"
    REPORT = "report"
    MINE = "mine"
    TODO = "todo"
    PENDING = "pending"
    BRIEF = "brief"
    SUGGEST = "suggest"
    PRIVACY = "privacy"
    HELP = "help"


WORDS: dict[Command, tuple[str, ...]] = {
    Command.CONFIRM: tuple("确认 确定 确认提交 提交 好 好的 是 是的 可以 ok okay yes confirm submit".split()),
    Command.CANCEL: ("取消", "不报了", "不用了", "算了", "cancel"),
    Command.RESUME: ("继续", "接着报", "continue", "resume"),
    Command.PROGRESS: ("进度", "查进度", "查询", "查询进度", "progress", "status"),
    Command.REPORT: ("我要上报", "上报", "report"),
    Command.MINE: ("我的上报", "my reports", "mine"),
    Command.TODO: ("待办", "我的待办", "todo", "to do", "to-do"),
    Command.PENDING: ("待处理", "pending", "waiting"),
    Command.BRIEF: ("今日简报", "简报", "brief"),
    Command.SUGGEST: ("意见建议", "意见", "建议", "feedback", "suggestion", "suggestions"),
    Command.PRIVACY: ("隐私", "删除", "删除我的信息", "privacy", "delete", "delete my data"),
    Command.HELP: ("帮助", "菜单", "你好", "您好", "在吗", "help", "menu", "hi", "hello", "?"),
}
_COMMANDS = {word: command for command, words in WORDS.items() for word in words}
_ENDS = " \t\r\n,.!;:~、。,!;:…“”\"'"
_NUMBER = r"[a-z]{1,8}-\d{4}-\d{4,9}"
_PROGRESS = re.compile(rf"(?:(?:{'|'.join(map(re.escape, WORDS[Command.PROGRESS]))})[\s::#]*)?(?P<number>{_NUMBER})")
_PROGRESS_SHORT = re.compile(rf"(?:{'|'.join(map(re.escape, WORDS[Command.PROGRESS]))})[\s::#]*(?P<number>\d{{1,9}})")
_PLACE = re.compile(r"\s*(?:地点|位置|地址|place|address)(?:\s*:\s*|\s+|[在是])(?P<where>.{2,200})", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A command; ``number``: the report that progress is asked for (capitals, or its last digits), empty for the latest."""

    command: Command
    number: str = ""


def plain(text: str) -> str:
    """Small letters, full-width forms made narrow, one space where there were more, no punctuation at the ends."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split()).strip(_ENDS)


def meaning_of(text: str) -> Meaning | None:
    """The command these words are, as a whole ("进度 LG-2026-000123", the bare number); None for part of an account."""
    said = plain(text) or text.strip()[:1].replace("？", "?")
    if found := _PROGRESS.fullmatch(said) or _PROGRESS_SHORT.fullmatch(said):
        return Meaning(Command.PROGRESS, found["number"].upper())
    command = _COMMANDS.get(said)
    return Meaning(command) if command else None


def place_said(text: str) -> str:
    """The place that is written as one: "地点 鹭溪河桥" gives "鹭溪河桥"; empty if the words do not begin so."""
    found = _PLACE.fullmatch(unicodedata.normalize("NFKC", text))
    return found["where"].strip(_ENDS) if found else ""


def may_begin(text: str) -> bool:
    """True if words without a draft are long enough to be a report."""
    return len(re.sub(r"[\W_]", "", text)) >= LEAST_WORDS


_DANGER = re.compile(
    "|".join(
        (
            r"燃气|煤气|天然气|液化气|漏气|气味很浓",
            r"触电|漏电|高压线断|电线断|电线掉",
            r"[着起失走]火|火[灾警势]|大火|明火|有火|火了|救火|灭火|冒[黑浓]?烟|^火+$",
            r"爆炸|坍塌|塌[了陷方]|倒塌",
            r"落水|溺水|掉[进到]?河里|掉下水|跳[楼河桥]",
            r"救命|昏迷|晕倒|流血|中毒|被困|打架|持刀|抢劫|杀人|车祸",
            r"\b(?:gas leak|smell of gas|electrocut\w*|live wire|(?:on )?fire|burning|explosion|drowning|collapsed?)\b",
            r"\b(?:unconscious|bleeding|robbery|knife)\b",
        )
    )
)
_HARMLESS = re.compile(r"大?火锅|防火门|消防|烟火|烟花|天然气公司|fire ?works?|fire (?:door|lane|exit|hydrant)s?")


def is_emergency(text: str) -> bool:
    """True if the words name what 119, 110 or 120 is for: wide on purpose, for a false alarm costs one line."""
    return bool(_DANGER.search(_HARMLESS.sub("", unicodedata.normalize("NFKC", text).lower()).strip(_ENDS)))


_HAN = re.compile(r"[㐀-鿿]")
_LATIN = re.compile(r"[a-zA-Z]{2,}")


def language_of(text: str) -> str:
    """``zh-hans`` for words with a Chinese character, ``en`` for Latin words, empty where they do not say (a number, "ok")."""
    if _HAN.search(text):
        return "zh-hans"
    said = plain(text)
    if said in ("ok", "okay") or re.fullmatch(_NUMBER, said):
        return ""
    return "en" if _LATIN.search(text) else ""
