"""Who works in the demonstration's street: invented names, every role of DOMAIN §1."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from jiequ.people.rules import Role

SURNAMES = (
    "林陈黄何周吴徐孙马朱胡郭罗高梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟"
    "汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "明华建国伟强军平芳敏静丽娟艳勇杰涛超秀英霞梅兰玲桂珍红玉云凤洁琳素雪荣爱妹香月莺媛瑞凡佳嘉琼勤珠贞莉"
    "晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁仪荷丹蓉眉君琴蕊薇菁梦岚苑筠柔竹霭凝晓欢霄枫芸菲寒"
)
OFFICES = ("hw", "zf", "cg", "yl", "pc", "zhzx", "aq", "sw", "gg", "zz", "fw", "sfs")
BUREAUS = ("jt", "xf", "qgy", "pq", "qdl", "qhj", "qzj", "qld", "qgz", "qsw")
WATER_OFFICERS, BUILDING_OFFICERS = 3, 16


@dataclass(frozen=True, slots=True)
class Worker:
    """One person to be made: user name, name, and their posts as (role, department key or "")."""

    username: str
    name: str
    posts: tuple[tuple[Role, str], ...]
    is_district: bool = False


def workers(committees: list[str], grids: int, seed: int) -> Iterator[Worker]:
    """Everybody of the main street and the district's bureaus; the named actors of the story first."""
    names = _names(seed)
    named: list[tuple[str, str, tuple[tuple[Role, str], ...]]] = [
        ("he", "何志远", ((Role.LEADER, ""),)),
        ("liang", "梁国栋", ((Role.DUTY_LEADER, ""),)),
        ("lin", "林晓燕", ((Role.ACCEPTOR, ""), (Role.DISPATCHER, ""))),
        ("chen", "陈勇", ((Role.GRID_WORKER, ""),)),
        ("huang", "黄海涛", ((Role.HANDLER, "hw"),)),
        ("qian", "钱江", ((Role.DEPARTMENT_LEAD, "sw"),)),
        ("wu", "吴敏", ((Role.DEPARTMENT_LEAD, "hw"),)),
        ("shui", "江水生", ((Role.OFFICER, "sw"),)),
        ("zhang", "张立", ((Role.DEPARTMENT_LEAD, "zf"),)),
        ("ding", "丁山", ((Role.OFFICER, "zf"),)),
        ("fei", "费飞", ((Role.PILOT, ""),)),
        ("pan", "潘析", ((Role.ANALYST, ""),)),
    ]
    for username, name, posts in named:
        yield Worker(username, name, posts)
    yield Worker("du", "杜察", ((Role.SUPERVISOR, ""),), is_district=True)
    for i in range(2):
        yield Worker(f"acceptor{i + 1}", next(names), ((Role.ACCEPTOR, ""),))
        yield Worker(f"dispatcher{i + 1}", next(names), ((Role.DISPATCHER, ""),))
    for i in range(WATER_OFFICERS - 1):
        yield Worker(f"water{i + 2}", next(names), ((Role.OFFICER, "sw"),))
    for i in range(BUILDING_OFFICERS - 1):
        yield Worker(f"building{i + 2}", next(names), ((Role.OFFICER, "zf"),))
    for key in OFFICES:
        if key not in {"hw", "sw", "zf"}:
            yield Worker(f"{key}.lead", next(names), ((Role.DEPARTMENT_LEAD, key),))
        if key not in {"sw", "zf"}:
            yield Worker(f"{key}.hand", next(names), ((Role.HANDLER, key),))
    for key in committees:
        yield Worker(key, next(names), ((Role.DEPARTMENT_LEAD, key), (Role.HANDLER, key)))
    for i in range(grids - 1):
        yield Worker(f"grid{i + 2}", next(names), ((Role.GRID_WORKER, ""),))
    for key in BUREAUS:
        yield Worker(f"{key}.desk", next(names), ((Role.BUREAU, key),), is_district=True)


def _names(seed: int) -> Iterator[str]:
    rng = Random(seed)
    while True:
        yield rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2, 2))))
