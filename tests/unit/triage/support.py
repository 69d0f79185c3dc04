"""A small invented district for the tests of the engine: four types, sentences by pattern."""

from __future__ import annotations

from random import Random

from jiequ.triage.engine.types import EventType, Example, Report

TYPES = (
    EventType("event:1", ("市容环境", "暴露垃圾")),
    EventType("event:2", ("市容环境", "占道经营")),
    EventType("event:3", ("公共设施", "路灯不亮")),
    EventType("event:4", ("公共设施", "井盖破损")),
)
_SAID = {
    "event:1": ["垃圾堆了好几天没人清理", "垃圾桶满了发臭", "路边有人乱倒垃圾"],
    "event:2": ["小贩占道摆摊", "流动摊把人行道占了", "水果摊摆到马路上经营"],
    "event:3": ["路灯坏了晚上一片漆黑", "好几盏路灯不亮", "路灯一闪一闪快灭了"],
    "event:4": ["井盖破了一个角", "井盖松动车一过就响", "井盖裂开很危险"],
}
_PLACES = ["幸福路", "东门村", "学府小区", "河边步道", "菜市场门口", "中心小学", "客运站", "人民公园"]
_TAILS = ["请尽快处理", "已经三天了", "麻烦看看", "多次反映没有结果", "谢谢", "老人小孩经过都不方便"]


def examples(each: int, *, seed: int = 0, at: str = "2026-11-01", codes: tuple[str, ...] = tuple(_SAID)) -> list[Example]:
    """``each`` confirmed cases of every code, every one worded by chance."""
    chance, found = Random(seed), []
    for code in codes:
        for n in range(each):
            words = f"{chance.choice(_PLACES)}{chance.randrange(1, 200)}号{chance.choice(_SAID[code])}，{chance.choice(_TAILS)}"
            found.append(Example(f"{code}-{seed}-{n}", Report(words), code, at))
    return found
