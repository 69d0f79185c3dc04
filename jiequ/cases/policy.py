"""What a street may set for itself in the loop. Pure; imports nothing of Django.

Marks as in DOMAIN: (T) full text of a rule, (C) seen in a real system, (P) our own default. All of it is configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from jiequ.core.worktime import Limit, Unit

HOTLINE = "hotline"
"""The source with limits of its own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A street's settings for the loop; every field has a working default."""

    bounce_limit: int = 2  # (C) after so many returns the duty leader decides
    first_responsible: bool = True  # (T) Beijing regulation §14
    first_responsible_term: str = "首接负责制"  # data; Guangzhou says 首派负责制
    desk_minutes: int = 30  # (P) accept, dispatch, acknowledge, check
    urgent_desk_minutes: int = 10  # (P)
    hotline_desk_minutes: int = 30  # (P) a hotline's order has an outer clock: a street may want less
    check_hours: int = 4  # (P) work hours for a check on the spot
    reopen_days: int = 15  # (P)
    rating_days: int = 15  # (P)
    undo_seconds: int = 10
    repeat_urge: int = 3  # (P) so many voices urge by themselves
    near_m: int = 60  # (P) how near an open case of the same type counts as perhaps the same
    link_days: int = 180  # (P) life of a private link
    keep_days: int = 365  # (P) a reporter's identity after the case has ended
    hotline_return_minutes: int = 60  # (C) differs by city
    self_handled_sample: float = 0.1  # (P)
    closed_sample: float = 0.02  # (P)
    repeat_urge_days: int = 5  # (P) another voice on a matter open for so long urges at once
    compare_min_n: int = 10  # (P) below it a comparison shows no figure
    hotline_response: str = "accept"  # (P) what counts as having been in touch; the regulation names the rate only
    hotline_visits: str = "all"  # (P) which verdicts count as a call-back
    brief_hour: int = 8  # (P) when the leaders are told of the day's brief, on work days

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Policy:
        """From a street's settings; unknown keys are somebody else's. ValueError names a value of the wrong kind."""
        known = {f.name: f for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in stored.items():
            if name not in known:
                continue
            wanted = type(known[name].default)
            if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool):
                raise ValueError(f"{name} must be {wanted.__name__}, not {value!r}")
            values[name] = value
        return cls(**values)

    def desk_limit(self, *, is_urgent: bool, source: str = "") -> Limit:
        """For accepting, dispatching and acknowledging, by urgency and source; an urgent one runs through the night."""
        if is_urgent:
            return Limit(self.urgent_desk_minutes, Unit.URGENT_MINUTE)
        minutes = self.hotline_desk_minutes if source == HOTLINE else self.desk_minutes
        return Limit(minutes, Unit.WORK_MINUTE)

    def spot_limit(self, *, is_urgent: bool) -> Limit:
        """For a verification or a check on the spot."""
        return Limit(1, Unit.URGENT_HOUR) if is_urgent else Limit(self.check_hours, Unit.WORK_HOUR)


RANGES: dict[str, tuple[float, float]] = {
    "bounce_limit": (1, 5),
    "desk_minutes": (5, 480),
    "urgent_desk_minutes": (1, 60),
    "hotline_desk_minutes": (5, 480),
    "check_hours": (1, 40),
    "reopen_days": (1, 90),
    "rating_days": (1, 90),
    "undo_seconds": (5, 60),
    "repeat_urge": (2, 20),
    "near_m": (10, 500),
    "link_days": (30, 730),
    "keep_days": (30, 1095),
    "hotline_return_minutes": (10, 480),
    "self_handled_sample": (0, 1),
    "closed_sample": (0, 1),
    "repeat_urge_days": (1, 90),
    "compare_min_n": (5, 100),
    "brief_hour": (7, 18),
}
"""From, to: what a street may choose; beyond them the loop would not work or a promise to reporters would be empty."""

CHOICES: dict[str, tuple[str, ...]] = {
    "hotline_response": ("accept", "acknowledge"),
    "hotline_visits": ("all", "phone"),
}
"""Settings that are one of a few words: the reading of an indicator (insight/catalogue.py)."""

REJECT_REASONS: dict[str, tuple[str, str]] = {
    "emergency": ("紧急情况请立即拨打 110、119 或 120", "This is an emergency: please call 110, 119 or 120 at once."),
    "litigation": ("已进入诉讼、仲裁或信访程序的事项", "The matter is before a court, an arbitrator or in petition."),
    "repeated": ("同一事项已答复，没有新的情况", "The same matter has been answered and nothing new is said."),
    "secret": ("涉及国家秘密、商业秘密或个人隐私", "It touches state or business secrets or somebody's privacy."),
    "outside_duty": ("不属于街道职责范围", "It is outside the sub-district's duty."),
    "unlawful": ("违反法律法规或公序良俗", "What is asked for is unlawful."),
    "untrue": ("现场核实不存在", "Checked on the spot: not found."),
    "too_little": ("信息不足且无法联系", "Too little is said, and nobody could be reached."),
}
"""The six things a hotline must route away (T, Beijing regulation §11) and two of our own, as a reporter reads them."""

SIX_ANSWERS = ("emergency", "litigation", "repeated", "secret", "outside_duty", "unlawful")

RETURN_REASONS: dict[str, tuple[str, str]] = {
    "outside_duty_list": ("不在本部门职责清单内", "Not on this department's duty list."),
    "wrong_place": ("位置有误，现场不在辖区", "The place is wrong."),
    "wrong_type": ("类型有误", "The type is wrong."),
    "not_found": ("现场未发现问题", "Nothing was found on the spot."),
    "other_authority": ("应由其他部门主办", "Another department should lead."),
}

FIRST_RESPONSIBLE_REASONS = frozenset({"outside_duty_list", "wrong_place", "wrong_type", "not_found"})
"""A department first sent to may return only what was sent by mistake; else it coordinates (首接负责制)."""

CANCEL_REASONS: dict[str, tuple[str, str]] = {
    "mistake": ("误立案", "Filed by mistake."),
    "duplicate": ("重复且无法并案", "A duplicate that cannot be merged."),
    "gone": ("问题已自行消失", "The matter has gone by itself."),
    "test": ("测试数据", "A test."),
}

FORCE_REASONS: dict[str, tuple[str, str]] = {
    "no_owner": ("责任主体无法确定", "No one responsible can be found."),
    "other_procedure": ("已转入其他法定程序", "It goes on in another lawful procedure."),
    "impossible": ("客观条件不具备", "It cannot be done for now."),
    "leader_decision": ("领导研究决定", "Decided by the leaders."),
}

REASONS: dict[str, dict[str, tuple[str, str]]] = {
    "reject": REJECT_REASONS,
    "return": RETURN_REASONS,
    "cancel": CANCEL_REASONS,
    "force_close": FORCE_REASONS,
}
"""The moves that want a reason, each with its own."""
