"""Alias spellings of departments: 城管局, 城市管理局 and 区城市管理局 are one; a unit renamed is the same unit.

Two halves. :class:`Aliases` knows a district's own list of departments with their spellings. :class:`Spellings` learns from
names alone, as orders from elsewhere bring them, which belong together and which one is in use now.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

BRACKETED = re.compile(r"^(.+?)\s*\(([^()]*)\)$")
LEVEL = re.compile(r"^(?:.{2,4}?(?:省|市(?![场政])|(?<![社小园校])区|县))?(?:市(?![场政])|区|县)?(?=.{3,})")
SAYINGS = (  # the short forms in daily use and their long ones, what something is about before what it is
    *(("城市管理", "城管"), ("环境保护", "环保"), ("环保和水务", "环水"), ("住房和城乡建设", "住建"), ("住房和建设", "住建")),
    *(("城乡建设", "城建"), ("城市建设", "城建"), ("人力资源和社会保障", "人社"), ("规划和自然资源", "自然资源")),
    *(("综合行政执法", "综合执法"), ("应急管理", "应急"), ("市场监督管理", "市监"), ("市场监管", "市监"), ("派驻", "")),
    *(("办公室", "办"), ("办事处", "街道"), ("街道街道", "街道"), ("管理局", "局"), ("委员会", "委")),
    *(("有限责任公司", "公司"), ("有限公司", "公司")),
)
AFTERWARDS = re.compile(r"(?:处置)+$")
STAYS = 0.6  # of a spelling's weight at each use of another: two uses in a row of a new one and it is the one in use


def clean(name: str) -> str:
    """A name without what spellings differ in: width, blanks, brackets' shape, "处置" after it; brackets stay."""
    solid = unicodedata.normalize("NFKC", "".join(unicodedata.normalize("NFKC", name).split()))  # a blank kept two apart
    return AFTERWARDS.sub("", solid) or solid


def short(name: str) -> str:
    """A name as a key for likeness: cleaned, long words said short, without its level and brackets."""
    bare = clean(name)
    if found := BRACKETED.match(bare):
        bare = found[1]
    for long, brief in SAYINGS:
        bare = bare.replace(long, brief)
    return LEVEL.sub("", bare) or bare


class Aliases:
    """A district's departments by any of their spellings."""

    def __init__(self, spellings: Mapping[str, Iterable[str]]) -> None:
        """``spellings``: of each code its names, the first of them the full one."""
        self._exact: dict[str, set[str]] = {}
        self._short: dict[str, set[str]] = {}
        for code, names in spellings.items():
            for name in names:
                self._exact.setdefault(clean(name), set()).add(code)
                self._short.setdefault(short(name), set()).add(code)

    def code_of(self, spelling: str) -> str | None:
        """The one department a spelling can mean, or None where it is none or several."""
        for table, key in ((self._exact, clean(spelling)), (self._short, short(spelling))):
            if len(codes := table.get(key, set())) == 1:
                return next(iter(codes))
            if codes:
                return None
        return None


class Spellings:
    """Which spellings mean one unit, a bare name and its one bracketed form are one; two forms are two units."""

    def __init__(self) -> None:
        self._brackets: dict[str, set[str]] = {}
        self._bare: set[str] = set()
        self._weights: dict[str, dict[str, float]] = {}

    def key(self, name: str) -> str:
        """The unit a spelling means, as far as is known now."""
        whole = clean(name)
        found = BRACKETED.match(whole)
        if found is None:
            return whole
        base = found[1]
        return base if base in self._bare and self._brackets.get(base, set()) <= {found[2]} else whole

    def learn(self, name: str) -> None:
        """One use of a spelling."""
        whole = clean(name)
        if found := BRACKETED.match(whole):
            self._brackets.setdefault(found[1], set()).add(found[2])
        else:
            self._bare.add(whole)
        weights = self._weights.setdefault(self.key(name), {})
        for other in weights:
            weights[other] *= STAYS
        weights[name] = weights.get(name, 0.0) + 1

    def in_use(self, key: str) -> str:
        """How a unit is spelled lately; the key itself if it was never spelled."""
        weights = self._weights.get(key)
        return max(weights, key=weights.__getitem__) if weights else key
