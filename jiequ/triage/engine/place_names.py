"""The shape of Chinese place names: a text is cut by ordinary words, the rest is read by endings and by where names stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REGION = re.compile(  # what stands before a name and is none: codes of an anonymised text, province, city, district, county
    r"[A-J]\d{0,2}[市区县](?!场)(?:[市区县](?=[\u4e00-\u9fff]{3}))?|[\u4e00-\u9fff]{2}(?:省|自治区)|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,3}市(?![场政民长级委内里区])"
    r"(?:[\u4e00-\u9fff]{2,3}[区县](?!域))?"
)
SOLID = re.compile(r"[\u3400-\u9fffA-Za-z0-9·]+")
NUMBERED = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]?\d{2,4}国道|[A-Z]?\d{2,4}[省县]道)")
NUMBERED_SCHOOL = re.compile(r"[一二三四五六七八九十]中")
ENDS = {  # after these a name ends and another may begin
    "road": "大道|快速路|立交桥|大桥|路(?![口灯线])|街(?![道区])|巷",
    "street": "街道",
    "community": "(?<![校厂])社区",
    "village": "(?<!集)镇(?!政)|(?<![城老])乡(?!村)|村(?![委组民]|级)|镇(?=政府)",
    "estate": "花园|家园|嘉园|佳园|公园|广场|大厦|公寓|中学|小学|学院|大学(?!城)|幼儿园|医院|大酒店|酒店",
}
CUT = re.compile(
    "(?P<body>.{1,7}?)(?:" + "|".join(f"(?P<{kind}>{ends})" for kind, ends in ENDS.items()) + ")"
    "(?:(?<=[路道街])(?:[东西南北中](?:路|街)|[一二三四五六七八九十]段))?"
)
RIVER = re.compile(r".{1,5}(?:[河江湖溪渠]|水库)$")
NUMERALS = re.compile(r"(?:[A-Za-z]?\d+|[一二三四五六七八九十])$")
PHASE = re.compile(r"[一二三四五六七八九\d]期")
KEPT = ("天下", "壹号", "一中", "二中", "三中", "四中", "附中", "高中")
COUNTED = ("栋", "期", "号", "楼", "层", "单元", "组", "班", "房")
ESTATE_ENDS = (
    *"园苑城湾府庭居院轩郡邸阁厂馆岛墅都厦座寓楼馨墩".strip(),
    *(
        "国际",
        "广场",
        "中心",
        "天下",
        "年华",
        "之窗",
        "公馆",
        "学校",
        "医院",
        "中学",
        "小学",
        "学院",
        "大学",
        "车站",
        "酒店",
        "山庄",
        "小区",
    ),
    *(
        "市场",
        "花园",
        "家园",
        "公园",
        "幼儿园",
        "公寓",
        "大厦",
        "工业区",
        "生活区",
        "安置区",
        "大酒店",
        "驾校",
        "商场",
        "超市",
        "水站",
        "港",
        "里",
        "派",
        "湖畔",
        "地铁站",
        "村",
    ),
)
FIRM = (  # a name before these is a firm's, not a place's
    *(
        "公司",
        "有限公司",
        "有限责任公司",
        "总公司",
        "分公司",
        "集团",
        "平台",
        "培训",
        "培训机构",
        "机构",
        "银行",
        "贷款",
        "理财",
        "投资",
    ),
    *(
        "开发公司",
        "网络",
        "软件",
        "保险",
        "保险公司",
        "金融",
        "网络科技",
        "旅行社",
        "有限",
        "股份",
        "实业",
        "医药",
        "科技",
        "贷",
    ),
)
HARD = frozenset(  # single signs that are never inside a name
    "的了吗呢么吧啊在与及或对把被让给请是不没无未有也都还又再就从至到于为因等要将会能可何求这那我你他她您每某该此怎拆修占堵收买卖租欠骗"
    "偷打开才由向往但且很太最更交换改设用退缴咨问盼望想说按比跟像如若得着过吵放堆乱回跨甩"
)
LOOSE = frozenset(
    "道旁边前后内外里上下中段处号栋期东西南北侧区县市镇乡村路街门口近距离个新老旧大小同地各全某第类"
)  # not a name by themselves
LEADING = frozenset("地各全个某这那原现某第")
TRAILING = frozenset("道旁边前后内外上下中段处号栋期侧原现东西南北近至第")
NAMEABLE = frozenset(  # ordinary words that names are made of as well
    (
        "国际 城市 公园 广场 中心 市场 菜市场 文化 旅游 经济 生鲜市场 农贸市场 别墅 公寓 "
        "学校 中学 小学 大学 学院 医院 幼儿园 地铁站 车站 火车站 国家 世界 建设 发展 人民 "
        "天桥 商场 超市 工业园 水库 社区 街道 财富 健康 生活 社会 汽车 街 路 村 镇 乡 "
        "新区 公馆 房地产 地产 一中 图书馆 体育馆 酒店 驾校 铁路 高铁站 机场 公路 道路 女人 "
        "工厂 二中 三中 河道 大道 新村 新城 大桥 开发区 自在 时代 山林 商业 集镇"
    ).split()
)
LONGEST = 6  # characters of a word of the list
LEAST_NAME, MOST_NAME = 2, 10
PLAIN_FILE = Path(__file__).resolve().parent / "data" / "plain_words.txt"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text: an ordinary word, or one sign that belongs to none."""

    text: str
    start: int
    is_plain: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def may_be_named(self) -> bool:
        """True where it can stand inside a name."""
        if len(self.text) == 1:
            return self.text not in HARD
        return not self.is_plain or self.text in NAMEABLE


@cache
def plain_words() -> frozenset[str]:
    """The ordinary words; lines with # are remarks."""
    lines = PLAIN_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def names(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of each name, in reading order; kinds as ``places.PlaceKind``."""
    numbered = [(found.start(), found.end(), "road") for found in NUMBERED.finditer(text)]
    barred = text
    for start, end, _kind in numbered:
        barred = barred[:start] + "\0" * (end - start) + barred[end:]
    found = [*numbered]
    for start, end, follows_region in _stretches(barred):
        found += _of_stretch(barred, start, end, follows_region)
    yield from sorted(found)


def _stretches(text: str) -> Iterator[tuple[int, int, bool]]:
    """Runs of signs that may be named, cut by regions, marks and ordinary words; does a region or a mark stand before it."""
    for start, end, is_led in _segments(text):
        run: list[Token] = []
        for token in [*tokens(text, start, end), Token("", end, True)]:
            if token.text and token.may_be_named and not _is_and(token, run, text, start):
                run.append(token)
                continue
            if run:
                yield run[0].start, run[-1].start + len(run[-1].text), is_led and run[0].start == start
                run = []


def _is_and(token: Token, run: list[Token], text: str, start: int) -> bool:
    """Is 和 the word "and" here: not at the head of a name (和平路), nor its second sign, nor before 城 or 园."""
    if token.text != "和":
        return False
    is_head = token.start == start if not run else run[-1].start == run[0].start and len(run[-1].text) == 1
    return not is_head and text[token.end : token.end + 1] not in ("城", "园", "苑")


def _segments(text: str) -> Iterator[tuple[int, int, bool]]:
    """Runs of letters without the regions; is the run led by a region."""
    for solid in SOLID.finditer(text):
        at, is_led = solid.start(), False
        for region in REGION.finditer(text, solid.start(), solid.end()):
            yield at, region.start(), is_led
            at, is_led = region.end(), True
        yield at, solid.end(), is_led


def tokens(text: str, start: int, end: int) -> list[Token]:
    """The cheapest cut of ``text[start:end]``: a word of the list costs 0.5, a sign outside 1; from the right."""
    words = plain_words()
    best: list[tuple[float, int, bool]] = [(0.0, 0, False)] * (end - start + 1)
    for at in range(end - start - 1, -1, -1):
        choices = [(1.0 + best[at + 1][0], 1, False)]
        for size in range(1, min(LONGEST, end - start - at) + 1):
            if text[start + at : start + at + size] in words:
                choices.append(((0.5 if size > 1 else 0.9) + best[at + size][0], size, True))
        best[at] = min(choices, key=lambda one: (one[0], -one[1]))
    cut, at = [], 0
    while at < end - start:
        _cost, size, is_plain = best[at]
        cut.append(Token(text[start + at : start + at + size], start + at, is_plain))
        at += size
    return cut


def _of_stretch(text: str, start: int, end: int, is_led: bool) -> Iterator[tuple[int, int, str]]:
    """The names of one stretch: whole parts that end like a road, a street, a village, a school; then what is left."""
    at, led = start, is_led
    while found := CUT.match(text, at, end):
        kind, stop = str(next(kind for kind in ENDS if found[kind])), found.end()
        first = _skip_leading(text, at, stop)
        if _is_name(text[first:stop], found["body"][first - at :]):
            yield first, stop, kind
            led = True
        at = stop
    yield from _rest(text, at, end, led)


def _skip_leading(text: str, start: int, end: int) -> int:
    while start < end and text[start] in LEADING:
        start += 1
    return start


def _is_name(name: str, body: str) -> bool:
    """Is there something before the ending that is a name; ``body`` is what stands before it."""
    if not LEAST_NAME <= len(name) <= MOST_NAME or name in plain_words() or body in plain_words() - NAMEABLE:
        return False
    return bool(body) and not all(sign in LOOSE for sign in body) and not body.isascii()


def _rest(text: str, start: int, end: int, is_led: bool) -> Iterator[tuple[int, int, str]]:
    first = _skip_leading(text, start, end)
    end = _without_tail(text, first, end)
    name, after = text[first:end], text[end : end + 4]
    if NUMBERED_SCHOOL.fullmatch(name) and is_led:
        yield first, end, "other"
    elif _may_be_place(name, after, is_led=is_led):
        stop = end + 2 if len(name) == 2 and after.startswith("小区") else end
        yield first, stop, _kind_of(name, after)


def _without_tail(text: str, start: int, end: int) -> int:
    """The end without what only says where at the place: 旁, 前, a number of a house."""
    while end > start and not text[start:end].endswith(KEPT):
        counted = NUMERALS.search(text[start:end]) if text[end - 1 : end].isascii() or text.startswith(COUNTED, end) else None
        if counted:
            end -= len(counted[0])
        elif text[end - 1] in TRAILING:
            end -= 1
        else:
            break
    return end


def _may_be_place(name: str, after: str, *, is_led: bool) -> bool:
    solid = sum("\u3400" <= sign <= "\u9fff" for sign in name)
    if solid < LEAST_NAME or len(name) > MOST_NAME or name in plain_words() or all(sign in LOOSE for sign in name):
        return False
    if after.startswith(FIRM) or name.endswith(FIRM):
        return after.startswith("物业公司")
    if solid > LEAST_NAME and (name.endswith(ESTATE_ENDS) or RIVER.fullmatch(name)):
        return not all(token.is_plain for token in tokens(name, 0, len(name)))
    if after.startswith("小区"):
        return True
    return is_led and (solid > LEAST_NAME or bool(PHASE.match(after)))


def _kind_of(name: str, after: str) -> str:
    if RIVER.fullmatch(name):
        return "river"
    return "estate" if after.startswith("小区") or name.endswith(ESTATE_ENDS) else "other"
