"""Personal data in a text that strangers will read: found by shape, by check digit and by the words before it, and masked.

Shapes: mobile numbers (工信部: 11 digits from 13 to 19), land lines with an area code, identity numbers (GB 11643-1999, by
their date of birth, for a check digit is easily mistyped), bank cards (ISO/IEC 7812-1, Luhn), plates
(GA 36-2018, eight signs for electric ones), e-mail, WeChat and QQ after a cue, names after a cue or before an address of
respect, and room numbers (building, unit, room).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

MOST_LENGTH = 100_000  # characters that are looked at; what is longer is cut there

GAP = r"[\s\-－—–.·]?"
SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋田杜丁沈姜"
    "范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武康贺严尹钱施牛洪龚"
    "汤陶黎温莫易樊乔文安殷颜庄章鲁倪庞邢俞翟蓝聂齐向申葛柴伍覃骆关焦柳欧祝纪尚毕耿芦左季管符辛苗詹曲靳祁"
    "路涂兰甘裴梅童翁霍游阮尤岳柯牟滕谷舒卜成饶宁凌盛查单冉鲍华包屈房喻解蒲卫简时连车项闵邬吉党阳司费蒙席"
    "晏隋古强穆姬宫景米麦谈柏瞿艾沙鄢桂窦郁缪畅巩卓褚栾戚全娄甄郎池丛边岑农苟迟保商臧佘卞虞刁冷应匡栗仇练"
    "楚揭师官佟封燕桑巫敖原植邝仲荆储宗楼干苑寇盖南屠鞠荣井乐银奚明麻雍花闻冼木郜廉衣蔺和冀占公门帅利满"
)
COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|令狐|慕容|端木|司徒"
NAME = rf"(?:(?:{COMPOUND})[\u4e00-\u9fff]{{1,2}}|[{SURNAMES}](?:[\u4e00-\u9fff]{{1,2}}|[某xX×*]{{1,2}}))"
AFTER_NAME = (
    r"(?=$|[\s,，。.;；:：!！?？、()（）\[\]【】\"“”'‘’0-9０-９+]"
    r"|电话|手机|联系|身份证|微信|住|男|女|先生|女士|的电话|的手机|是)"
)
NO_NAMES = frozenset(
    "高兴 明白 安全 安排 文明 方面 方便 时间 和谐 关于 成立 成功 平安 利用 管理 应该 应当 全部 全体 原因 单位 商铺".split()
)


@dataclass(frozen=True, slots=True)
class Found:
    """What stood at ``[start, end)`` of the text as given."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Masked:
    """The text fit to be read by strangers, and what was taken out of it."""

    text: str
    found: tuple[Found, ...]


def _is_card(digits: str) -> bool:
    """ISO/IEC 7812-1: the weighted sum of digits is a multiple of 10."""
    numbers = [int(digit) for digit in digits]
    doubled = (sum(divmod(2 * digit, 10)) for digit in numbers[-2::-2])
    return 15 <= len(numbers) <= 19 and len(set(numbers)) > 1 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def _may_be_identity(text: str) -> bool:
    """A number of eighteen signs with a date of birth in it, though its check digit be mistyped."""
    return text[6:8] in ("19", "20") and 1 <= int(text[10:12]) <= 12 and 1 <= int(text[12:14]) <= 31


@dataclass(frozen=True, slots=True)
class Shape:
    """One sort of personal data: its pattern (group ``x`` if only a part is masked), and a test of the solid digits."""

    kind: str
    pattern: re.Pattern[str]
    test: Callable[[str], bool] | None = None


SHAPES = (
    Shape("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}[@＠][A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}", re.ASCII)),
    Shape("id", re.compile(rf"(?<!\d)[1-9]\d{{5}}{GAP}(?:\d{GAP}){{8}}\d{{3}}{GAP}[\dXx](?![\dA-Za-z])"), _may_be_identity),
    Shape("id", re.compile(r"(?<!\d)[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)(?<=\d{15})")),
    Shape("card", re.compile(r"(?<!\d)\d(?:[ \-]?\d){14,18}(?!\d)"), _is_card),
    Shape("card", re.compile(r"(?:银行卡|卡号|账号|帐号|账户|帐户)\D{0,6}(?P<x>\d(?:[ \-]?\d){8,22})(?!\d)")),
    Shape("phone", re.compile(rf"(?<!\d)(?:(?:\+|00)?86{GAP}|0)?1[3-9]\d{GAP}\d{{4}}{GAP}\d{{4}}(?!\d)")),
    Shape("phone", re.compile(rf"(?<!\d)1[3-9]\d{GAP}\d{{3}}{GAP}\d{{5}}(?!\d)")),
    Shape("phone", re.compile(rf"(?<!\d)(?:\(0\d{{2,3}}\)|（0\d{{2,3}}）|0\d{{2,3}}){GAP}[2-9]\d{{2,3}}{GAP}\d{{4}}(?!\d)")),
    Shape("phone", re.compile(r"(?:电话|手机|联系方式|致电|座机|号码)\D{0,5}?(?P<x>\d[\d\- ]{5,13}\d)(?!\d)")),
    Shape(
        "plate",
        re.compile(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z]\s?[·•.．\-]?\s?"
            r"(?:[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![A-Za-z0-9])",
            re.IGNORECASE,
        ),
        lambda solid: any(sign.isdigit() for sign in solid),
    ),
    Shape("account", re.compile(r"(?:微信号?|QQ号?|qq号?|抖音号?|[vV][xX])\s?[:：是为]?\s?(?P<x>[A-Za-z0-9_\-]{5,30})")),
    Shape(
        "room",
        re.compile(
            r"(?:[A-Za-z]?\d{1,3}|[一二三四五六七八九十]{1,3}|[A-Za-z])(?:栋|幢|座|号楼)(?:(?:\d{1,2}|[一二三四五六七八九十]{1,2}|[A-Za-z])(?:单元|梯))?"
            r"(?P<x>\d{1,2}楼?[-－]?\d{2,4}[A-Za-z]?(?:室|房|号)?|\d{3,4}[A-Za-z]?(?:室|房|号)?|[A-Za-z]\d{3,4})(?![\d元年个人户米])"
        ),
    ),
    Shape("room", re.compile(r"单元\s?(?P<x>\d{1,4}[A-Za-z]?)(?:室|房|号)?(?![\d元年个人户米])")),
    Shape("room", re.compile(r"(?<![\dA-Za-z])(?P<x>[A-Za-z]?\d{1,2}[-－]\d{1,2}[-－]\d{2,4})(?![\d])")),
    Shape("room", re.compile(r"(?<![\dA-Za-z.])(?P<x>[A-Za-z]?\d{3,4})(?:室|房(?![屋价产东地]))")),
    Shape(
        "name",
        re.compile(
            rf"(?:我叫|我名叫|本人叫|姓名|联系人|当事人|投诉人|举报人|报料人|反映人|户主|房东|业主姓名)\s?[:：是为]?\s?(?P<x>{NAME}){AFTER_NAME}"
        ),
    ),
    Shape("name", re.compile(rf"(?:我是|本人|叫做?|名叫|名为)\s?(?P<x>{NAME})(?=[,，。;；!！、(（]|$|电话|手机|身份证)")),
    Shape("name", re.compile(rf"(?P<x>{NAME})(?=先生|女士|小姐|老师|阿姨|大爷|师傅|医生|同志)")),
    Shape("name", re.compile(rf"(?P<x>{NAME})(?=\s?[(（]?(?:电话|手机|身份证|联系电话)(?:号码?)?\s?[:：]?\s?[\d＊*])")),
)
MASKS = {"plate": "**", "room": "**", "name": "某"}
MASK = "***"


def mask(text: str, *, keep: Collection[str] = ()) -> Masked:
    """The text without personal data; ``keep`` are strings that stay (the desk's own number, a department's hotline).

    Masking what is masked changes nothing. A text over ``MOST_LENGTH`` characters is cut there: nothing unread is published.
    """
    read = text[:MOST_LENGTH]
    plain = read.translate(_NARROW)
    taken: list[Found] = []
    for shape in SHAPES:
        taken += [
            found for found in _of(shape, plain) if not _overlaps(found, taken) and read[found.start : found.end] not in keep
        ]
    taken.sort(key=lambda found: found.start)
    return Masked(_without(read, taken), tuple(taken))


_NARROW = {ord("０") + digit: ord("0") + digit for digit in range(10)} | {ord("＋"): ord("+"), ord("＊"): ord("*")}


def _of(shape: Shape, text: str) -> Iterator[Found]:
    for match in shape.pattern.finditer(text):
        group = "x" if "x" in shape.pattern.groupindex else 0
        start, end = match.span(group)
        solid = re.sub(r"[\s\-－—–.·•．]", "", text[start:end])
        if shape.kind == "name" and text[start:end] in NO_NAMES:
            continue
        if shape.test is None or shape.test(solid):
            yield Found(shape.kind, start, end)


def _overlaps(found: Found, taken: list[Found]) -> bool:
    return any(found.start < other.end and other.start < found.end for other in taken)


def _without(text: str, taken: list[Found]) -> str:
    parts, at = [], 0
    for found in taken:
        head = text[found.start] if found.kind == "name" else ""
        parts += [text[at : found.start], head, MASKS.get(found.kind, MASK)]
        at = found.end
    return "".join([*parts, text[at:]])
