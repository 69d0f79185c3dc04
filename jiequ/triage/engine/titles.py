"""A title of one line from the words of a report: its first telling clause, without greetings or anything personal."""

from __future__ import annotations

import re

from jiequ.triage.engine.masking import mask

MOST_LENGTH = 2_000  # characters that are read
CLAUSES = re.compile(r"[。！？!?；;\n\r]+|(?<=[\u4e00-\u9fff])[\s.]+(?=[\u4e00-\u9fff])")
PARTS = re.compile(r"[，,、：:]")
GREETING = re.compile(
    r"^(?:(?:尊敬的|敬爱的|亲爱的)?[\u4e00-\u9fff]{0,6}?(?:领导|书记|市长|区长|主任|同志|部门|您|你|大家|各位)?们?(?:[您你]?好|早上好|上午好|下午好|晚上好)|您好|你好|喂)[！!，,。.\s]*"
)
OPENING = re.compile(
    r"^(?:(?:我(?:是|们)?(?:想|要|来|现在)?|本人|麻烦|请问一下|请问|打扰了|在此)?(?:反映|投诉|举报|咨询|反应|说)(?:一下|一个|下)?(?:的?(?:问题|情况|事情))?(?:是|如下)?[，,：:]?)"
)
ABOUT_ONESELF = re.compile(r"^(?:我们?是|本人(?:是|系)?|我(?:住在|家住|家在)|作为)")
PROBLEM = re.compile(
    "坏|破|堵|漏|臭|噪|吵|乱|占|倒|裂|塌|积水|垃圾|污|扰民|违|没有?|不|无|缺|少|多|停|淹|断|掉|危险|隐患|隐瞒|拖欠|何时|怎么|为什么|建议|希望|请|需要|能否|可否|申请|施工|油烟"
)
EMPTY = re.compile(r"^[\W_]*$|^(?:谢谢|感谢|辛苦了|盼复|望处理|求解决|急|在吗)[\W_]*$")


def title_of(text: str, *, most: int = 30) -> str:
    """One line of at most ``most`` characters, masked; "" where the words say nothing."""
    read = mask(text[:MOST_LENGTH]).text
    clauses = [clause for part in CLAUSES.split(read) if (clause := _bare(part))]
    if not clauses:
        return ""
    best = max(clauses[:4], key=lambda clause: (_worth(clause), -clauses.index(clause)))
    return _shortened(best, most)


def _bare(clause: str) -> str:
    """A clause without its greeting and opening phrase."""
    bare = " ".join(clause.split()).strip(" ，,、：:“”\"'.-—*")
    for phrase in (GREETING, OPENING):
        bare = phrase.sub("", bare, count=1).strip(" ，,、：:")
    return "" if EMPTY.match(bare) or not any(sign.isalnum() for sign in bare) else bare


def _worth(clause: str) -> int:
    """How much a clause tells: a problem counts 2, a fair length 1, words about the reporter take 2 away."""
    return 2 * bool(PROBLEM.search(clause)) + (len(clause) >= 6) - 2 * bool(ABOUT_ONESELF.match(clause))


def _shortened(clause: str, most: int) -> str:
    """Whole parts as far as they fit; the first part cut with … where even that is too long."""
    if len(clause) <= most:
        return clause
    parts = [part.strip() for part in PARTS.split(clause) if part.strip()]
    telling = next((at for at, part in enumerate(parts) if PROBLEM.search(part) and len(part) >= 4), 0)
    first = parts[max(0, telling - 1)] if telling and len(parts[telling - 1]) + len(parts[telling]) < most else parts[telling]
    line = first if first == parts[telling] else f"{first}，{parts[telling]}"
    return line if len(line) <= most else f"{line[: max(1, most - 1)]}…"
