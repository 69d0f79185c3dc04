"""What is wrong with a reply that is about to be sent to a resident: flags with a fact each, and one number for all.

A flag never stops a reply; it says what a reader would miss. The number is a logistic model of features made by hand
(:func:`features`), fitted on 2,262 public replies with weak labels "does it explain"; its coefficients are all that ships.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

from jiequ.triage.engine.results import Reason

MOST_LENGTH = 10_000  # characters that are read
LEAST = 40  # characters of a reply's body; below it, it says next to nothing
LEAST_FINDING = 120  # a body this long that tells no finding word for word still tells something
LEAST_SHARED = 0.06  # of the report's pairs of characters
WORTH_COMPARING = 12  # characters of a report below which likeness says nothing

GREETING = re.compile(
    r"(?:尊敬的)?(?:网友|市民|居民|先生|女士|群众)?[“\"'‘]?[A-Za-z]{0,3}\d{0,12}[”\"'’]?(?:网友|同志|朋友)?[:：,，]?[您你]好[!！,，。:：]?"
)
CLOSING = re.compile(
    r"(?:再次)?(?:感谢|谢谢)[^。！!，,]{0,40}[。！!，,]?|祝您?[^。！!]{0,30}[。！!]?|(?:特此|此复)[^。！!]{0,10}[。！!]?"
)
ECHO = re.compile(
    r"(?:您|你|网友)?(?:的)?(?:留言|来信|反映|帖子|信访件|问题|诉求)[^。！!:：]{0,60}(?:收悉|已收到|收到)[。！!,，;；]?|现(?:将|就)?[^。！!:：]{0,30}(?:回复|答复|回应)如下[:：]?"
)
PASSED_ON = re.compile(
    r"(?:已|已经|将|予以)?(?:转交|转办|转至|转到|转给|转达|移交|交由|交办|转[^。，]{0,12}(?:局|办|部门|单位|街道|社区|大队|公司|镇|乡|委))|(?:核实|核查|调查|研究|了解)后?(?:再)?[^。]{0,6}(?:答复|回复|办复|处理)"
    r"|(?:收悉|收到|已阅|知悉|登记|记录)|请[^。]{0,20}(?:表述|说明|提供|补充)[^。]{0,10}(?:清楚|清晰|详细|具体)?"
)
FINDING = re.compile(
    r"经[^。，]{0,14}?(?:查|核实|了解|调查|勘查|走访|检测|沟通|核对|现场)|现场(?:查看|核查|检查|勘查)|调查(?:发现|了解|核实)|属实|不属实|情况(?:如下|是)|(?:目前|现已|原因|由于|因|根据|按照|依据|属于|为)"
)
ACTION = re.compile(
    "已(?:经)?(?:要求|责令|责成|督促|安排|组织|修复|清理|清运|整改|拆除|处理|处罚|处置|解决|完成|恢复|更换|启动|下达|约谈|立案|关停|协调|联系|发放|落实|纳入)|将(?:会)?(?:进一步|加强|加大|继续|尽快|安排|组织|督促|按|于|对|在|及时)|责令|整改|修复|清理|拆除|处罚|"
    "立案|约谈|督促|协调|安排|加强|可(?:以)?(?:拨打|前往|到|向|通过|凭|持|咨询)|建议您|请您|办理"
)
DATE = re.compile(
    r"\d{4}\s?[年/.-]\s?\d{1,2}\s?(?:[月/.-]\s?\d{1,2})?|\d{1,2}月(?:\d{1,2}[日号]|[上中下]旬|底|份)|(?:[0-9一二三四五六七八九十]{1,6})个?(?:工作日|天|日|小时|月)(?:内|之内|以内|左右)|(?:今|明|本|下|年|月|周|季度)(?:年|月|周|季度)?(?:底|内|前|初)"
)
RULE = re.compile(r"《[^》]{3,40}》|第[一二三四五六七八九十百\d]+条|〔\d{4}〕")
DONE_CLAIM = re.compile(
    r"(?<!未)已(?:经)?(?:全部|基本|于[^。，]{0,12})?(?:修复|清理|清运|整改|拆除|处理|处置|解决|完成|恢复|更换|办结|完毕)(?!中)|(?:处理|清理|整改|修复)(?:完毕|完成|到位)"
)
CLOSED_CLAIM = re.compile(r"(?:已|予以)(?:经)?(?:结案|办结|销号)")

NAMES = (
    "length",
    "clauses",
    "passed_on",
    "is_only_passed_on",
    "finding",
    "action",
    "date",
    "rule",
    "numbers",
    "shared",
    "is_short",
    "lists",
    "elsewhere",
)
ELSEWHERE = re.compile(
    "(?:直接|另行|具体|详细)?(?:与|向|到|拨打)[^。，]{0,24}(?:联系|咨询|反映|电话)|不具体|不足|笼统|无法[^。，]{0,8}答复|请[^。，]{0,6}提供"
)
COEFFICIENTS = Path(__file__).resolve().parent / "data" / "replies.json"


@dataclass(frozen=True, slots=True)
class Told:
    """The timeline in facts: when it was reported, what is proven, what was promised to the reporter."""

    now: datetime
    reported_at: datetime | None = None
    is_done: bool = False  # there is a proof of the work
    is_closed: bool = False
    promised_by: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """What a reader would miss, and the fact that shows it."""

    kind: str
    reason: Reason


def body_of(reply: str) -> str:
    """A reply without greeting, echo of the report, thanks and date of signing."""
    solid = "".join(reply[:MOST_LENGTH].split())
    for talk in (GREETING, ECHO, CLOSING):
        solid = talk.sub("", solid)
    return re.sub(r"(?:\d{4}年)?\d{1,2}月\d{1,2}日$", "", solid).strip("。，,：:；;！! ")


def features(reply: str, *, report: str) -> tuple[float, ...]:
    """Thirteen numbers (``NAMES``), most of them logarithms of counts: log(1 + n)."""
    body = body_of(reply)
    counts = [len(pattern.findall(body)) for pattern in (PASSED_ON, FINDING, ACTION, DATE, RULE)]
    passed, finding, action, date, rule = (math.log1p(count) for count in counts)
    only = float(counts[0] > 0 and counts[1] + counts[3] + counts[4] == 0 and len(body) < LEAST_FINDING)
    clauses, numbers = len(re.findall("[，。；！？,;!?]", body)), len(re.findall(r"\d+", body))
    lists = float(bool(re.search(r"[一二三][、是]|[1-3][、.．]|第[一二三]", body)))
    return (
        *(math.log1p(len(body)), math.log1p(clauses), passed, only, finding, action, date, rule),
        *(math.log1p(numbers), shared(body, report), float(len(body) < LEAST), lists, math.log1p(len(ELSEWHERE.findall(body)))),
    )


def shared(reply: str, report: str) -> float:
    """The share of the report's pairs of Chinese characters that come again in the reply, in [0, 1]."""
    asked, said = _pairs(report), _pairs(reply)
    return len(asked & said) / len(asked) if asked else 0.0


def _pairs(text: str) -> set[str]:
    return {pair for run in re.findall(r"[\u4e00-\u9fff]{2,}", text[:MOST_LENGTH]) for pair in map("".join, pairwise(run))}


def quality_of(reply: str, *, report: str) -> float:
    """How likely a reader finds it explained, in [0, 1]."""
    model = coefficients()
    score = model["bias"] + sum(model[name] * value for name, value in zip(NAMES, features(reply, report=report), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


@cache
def coefficients() -> dict[str, float]:
    """Of each feature as it stands, and ``bias``."""
    return {str(name): float(value) for name, value in json.loads(COEFFICIENTS.read_text(encoding="utf-8")).items()}


def fitted(rows: Sequence[tuple[float, ...]], labels: Sequence[int]) -> dict[str, float]:
    """Coefficients from features and labels (1: explains): logistic regression on standardised features, C = 1, as they stand.

    For the benchmark and for a district with labels of its own; scikit-learn is imported here only.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    known = np.array(rows, float)
    means, scales = known.mean(0), known.std(0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=1000).fit((known - means) / scales, list(labels))
    weights = model.coef_[0] / scales
    bias = float(model.intercept_[0] - weights @ means)
    return {"bias": round(bias, 5)} | {name: round(float(weight), 5) for name, weight in zip(NAMES, weights, strict=True)}


def flags_of(reply: str, *, report: str, told: Told | None = None) -> list[Flag]:
    """What to look at before it is sent, the gravest first; none stops it."""
    reply = reply[:MOST_LENGTH]
    body = body_of(reply)
    found: list[Flag] = [] if told is None else list(_contradictions(reply, told))
    passed, finding, action = PASSED_ON.findall(body), FINDING.search(body), ACTION.search(body)
    if len(body) < LEAST:
        found.append(_flag("short", length=len(body), least=LEAST))
    if passed and not finding and len(body) < LEAST_FINDING:
        found.append(_flag("only_passed_on", words=passed[0][:12]))
    if not finding and len(body) < LEAST_FINDING:
        found.append(_flag("no_finding", length=len(body)))
    if not action:
        found.append(_flag("no_action"))
    if not DATE.search(reply):
        found.append(_flag("no_date"))
    if len(_pairs(report)) >= WORTH_COMPARING and (share := shared(reply, report)) < LEAST_SHARED:
        found.append(_flag("off_topic", percent=round(100 * share)))
    return found


def _contradictions(reply: str, told: Told) -> list[Flag]:
    """Where the words say what the timeline does not know: done without a proof, closed while open, a day that has passed."""
    found = []
    if (claim := DONE_CLAIM.search(reply)) and not told.is_done:
        found.append(_flag("contradicts", what="done", words=claim[0]))
    if (claim := CLOSED_CLAIM.search(reply)) and not told.is_closed:
        found.append(_flag("contradicts", what="closed", words=claim[0]))
    for words, day in _promises(reply, told.now):
        if day.date() < told.now.date():
            found.append(_flag("contradicts", what="past", words=words))
        elif told.promised_by and day.date() > max(told.promised_by).date():
            found.append(_flag("contradicts", what="later", words=words, promised=max(told.promised_by).date().isoformat()))
    return found


PROMISE = re.compile(
    r"(?:将|会|预计|计划|拟|力争|确保|争取)[^。；，]{0,8}?(?:(?P<y>\d{4})年)?(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]"
)


def _promises(reply: str, now: datetime) -> list[tuple[str, datetime]]:
    """Days that something will be done by, as the reply says."""
    found = []
    for promise in PROMISE.finditer(reply[:MOST_LENGTH]):
        try:
            day = now.replace(year=int(promise["y"] or now.year), month=int(promise["m"]), day=int(promise["d"]))
        except ValueError:
            continue
        found.append((promise[0], day))
    return found


def _flag(kind: str, **facts: str | int) -> Flag:
    return Flag(kind, Reason(kind, facts))
