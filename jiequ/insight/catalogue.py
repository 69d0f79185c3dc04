"""The indicators, ours: each with its formula, its readings where there are several, and how sure the formula is.

Formulas follow what was read in the code and papers of real systems; where the source only names a rate the page says
公式未核实. Every reading is two parts of ``rules.PARTS``: the cases above the line, and those below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .rules import BASIS_OF, Basis

Words = str | Promise


class Strength(StrEnum):
    """Where a formula comes from."""

    CODE = "code"
    RECOMPUTED = "recomputed"
    EXCERPT = "excerpt"
    OURS = "ours"
    NO = "no"


STRENGTHS: dict[Strength, Words] = {
    Strength.CODE: _("公式见于实际系统的代码"),
    Strength.RECOMPUTED: _("公式已用公开数字复算"),
    Strength.EXCERPT: _("公式见于文件摘录"),
    Strength.OURS: _("公式是产品自己定的"),
    Strength.NO: _("公式未核实"),
}

BASES: dict[Basis, Words] = {
    Basis.REPORTED: _("按上报日期"),
    Basis.FILED: _("按立案日期"),
    Basis.HANDLED: _("按部门确认或处置到期的日期，取早的"),
    Basis.DUE: _("按办结或到期的日期，取早的"),
    Basis.CLOSED: _("按结案日期"),
}

SELF = _("自处理的不计。")
EXEMPT = _("申诉成立的不计。")
MERGED = _("并入别案的不计。")
VERDICTS = _("一案有几人评价的，有一人说未解决就算未解决，满意度取最低的。")
COMMON = (
    MERGED,
    _("历史导入的工单不计。"),
    _("挂账期间时钟停走，没有到期的不算应处置、应结案。"),
    _("不亮灯的计划性工作没有时限，不计入按时各率。"),
)
"""Left out of every figure, or true of all of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to work it out: ``above`` / ``below``."""

    key: str
    formula: Words
    above: str
    below: str
    strength: Strength | None = None

    @property
    def basis(self) -> Basis:
        return BASIS_OF[self.below]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One rate. ``area_only``: compared by community only, because it is about posts (DOMAIN §10). ``is_bad``: high is bad."""

    key: str
    name: Words
    strength: Strength
    readings: tuple[Reading, ...]
    notes: tuple[Words, ...] = ()
    area_only: bool = False
    is_bad: bool = False
    setting: str = ""  # the street's policy field that chooses the reading
    source: Words = ""

    def reading(self, key: str = "") -> Reading:
        """The reading of that key, the first one otherwise."""
        return next((one for one in self.readings if one.key == key), self.readings[0])


@dataclass(frozen=True, slots=True)
class Family:
    """Indicators that stand together on the page."""

    key: str
    name: Words
    indicators: tuple[Indicator, ...] = field(default_factory=tuple)


def _plain(
    key: str,
    name: Words,
    formula: Words,
    above: str,
    below: str,
    strength: Strength,
    *notes: Words,
    bad: bool = False,
) -> Indicator:
    return Indicator(key, name, strength, (Reading("only", formula, above, below),), notes, is_bad=bad)


def _of_posts(key: str, name: Words, formula: Words, above: str, below: str, *notes: Words, bad: bool = False) -> Indicator:
    only = (Reading("only", formula, above, below),)
    return Indicator(key, name, Strength.CODE, only, notes, area_only=True, is_bad=bad)


RATED = Indicator(
    "rated_share",
    _("评价率"),
    Strength.OURS,
    (Reading("only", _("居民评价的/居民反映并已结案的"), "rated", "asked"),),
)

FAMILIES: tuple[Family, ...] = (
    Family(
        "verdict",
        _("居民怎么说"),
        (
            _plain(
                "unsolved",
                _("居民说未解决"),
                _("评价“未解决”的/居民评价的"),
                "unsolved",
                "rated",
                Strength.OURS,
                VERDICTS,
                bad=True,
            ),
            _plain("solved", _("居民说解决"), _("评价“解决”的/居民评价的"), "solved", "rated", Strength.OURS, VERDICTS),
            _plain("satisfied", _("居民满意"), _("评价 4 分以上的/居民评价的"), "satisfied", "rated", Strength.OURS, VERDICTS),
            RATED,
        ),
    ),
    Family(
        "find",
        _("发现"),
        (
            Indicator(
                "found_first",
                _("主动发现率"),
                Strength.OURS,
                (Reading("only", _("街道先于居民发现的/立案数"), "found_first", "filed"),),
                (_("同一件事街道和居民都报了的，看谁先报。"),),
                area_only=True,
            ),
            _plain("report_rate", _("监督举报率"), _("监督举报核实数/立案数"), "filed_public", "filed", Strength.CODE),
            _of_posts("miss_rate", _("漏报率"), _("漏报数（公众举报核实而未巡查上报）/立案数"), "missed", "filed", bad=True),
            _plain("report_valid", _("有效上报率"), _("有效上报数（立案+作废）/上报数"), "valid", "reported", Strength.CODE),
        ),
    ),
    Family(
        "file",
        _("受理和分流"),
        (
            _of_posts("verify_ontime", _("按时核实率"), _("按时核实数/应核实数"), "verify_ontime", "verify_due"),
            _plain(
                "filing_ontime",
                _("按时立案率"),
                _("按时立案数/立案数"),
                "filed_ontime",
                "filed",
                Strength.CODE,
                _("自处理的当场立案，算按时。"),
            ),
            _plain("filing_accuracy", _("准确立案率"), _("（立案数-作废数）/立案数"), "filed_kept", "filed", Strength.CODE),
            _plain(
                "dispatch_ontime",
                _("按时派遣率"),
                _("按时派遣数/应派遣数"),
                "dispatch_ontime",
                "dispatch_due",
                Strength.CODE,
                SELF,
            ),
            Indicator(
                "dispatch_accuracy",
                _("准确派遣率"),
                Strength.CODE,
                (
                    Reading("rework", _("（应派遣数-返工数）/应派遣数"), "dispatch_clean", "dispatch_due"),
                    Reading("once", _("未改派过其他部门的案件/派遣数"), "sent_once", "sent"),
                ),
                (_("同一套代码里有两种算法，都列出来。"), SELF),
            ),
        ),
    ),
    Family(
        "handle",
        _("处置"),
        (
            _plain("dispose_rate", _("处置率"), _("处置数/应处置数"), "handle_done", "handle_due", Strength.CODE, SELF),
            _plain(
                "dispose_ontime",
                _("按时处置率"),
                _("按时处置数/应处置数"),
                "handle_ontime",
                "handle_timed",
                Strength.CODE,
                SELF,
                EXEMPT,
            ),
            _plain(
                "rework_rate",
                _("返工率"),
                _("返工数/处置数（返工：核查不过再次派给同一部门，或居民要求重办）"),
                "reworked",
                "worked",
                Strength.CODE,
                SELF,
                bad=True,
            ),
            _of_posts("check_ontime", _("按时核查率"), _("按时核查数/应（发）核查数"), "check_ontime", "check_due"),
            _plain(
                "first_pass",
                _("一次完成率"),
                _("一次核查通过的案件/结案数"),
                "passed_once",
                "closed_worked",
                Strength.EXCERPT,
                SELF,
                _("强制结案的不计。"),
            ),
        ),
    ),
    Family(
        "close",
        _("结案"),
        (
            _plain("close_rate", _("结案率"), _("结案数/应结案数"), "close_done", "close_due", Strength.RECOMPUTED, SELF),
            _plain(
                "close_ontime",
                _("按期结案率"),
                _("按期结案数/应结案数"),
                "close_ontime",
                "close_timed",
                Strength.RECOMPUTED,
                SELF,
                EXEMPT,
            ),
            _plain(
                "close_ontime_jh",
                _("按期结案率（扣缓办）"),
                _("按期结案数/（应结案数-缓办数）"),
                "close_plain_ontime",
                "close_plain",
                Strength.EXCERPT,
                SELF,
                EXEMPT,
                _("缓办：挂过账或延过期的，上下都不计。"),
            ),
        ),
    ),
    Family(
        "hotline",
        _("12345 热线三率"),
        (
            Indicator(
                "response_rate",
                _("响应率"),
                Strength.NO,
                (
                    Reading(
                        "accept", _("规定时限内联系诉求人工单/派单数；以按时受理算“联系”"), "hotline_accepted", "hotline_sent"
                    ),
                    Reading(
                        "acknowledge",
                        _("规定时限内联系诉求人工单/派单数；以主办部门按时接单算“联系”"),
                        "hotline_acknowledged",
                        "hotline_sent",
                    ),
                ),
                setting="hotline_response",
            ),
            Indicator(
                "solve_rate",
                _("解决率"),
                Strength.NO,
                (
                    Reading("all", _("回访“已解决”/有效回访数；自己评的和电话回访的都算"), "visited_solved", "visited"),
                    Reading("phone", _("回访“已解决”/有效回访数；只算电话回访"), "called_solved", "called"),
                ),
                setting="hotline_visits",
            ),
            Indicator(
                "satisfy_rate",
                _("满意率"),
                Strength.NO,
                (
                    Reading(
                        "all",
                        _("回访“满意”/有效回访数；4 分以上算满意，自己评的和电话回访的都算"),
                        "visited_satisfied",
                        "visited",
                    ),
                    Reading("phone", _("回访“满意”/有效回访数；4 分以上算满意，只算电话回访"), "called_satisfied", "called"),
                ),
                setting="hotline_visits",
            ),
        ),
    ),
)

INDICATORS: dict[str, Indicator] = {one.key: one for family in FAMILIES for one in family.indicators}
