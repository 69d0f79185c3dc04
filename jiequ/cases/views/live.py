"""What open pages fetch when something changed: the part they show, or only the rows of it that changed (docs/adr/0027).

A part renews from the page's own address, so rights and filters are asked where the page itself asks them:
``?live=rows`` is all of it, ``?live=rows&cases=12,15`` the rows of these cases that belong there now. Of a case that does not
belong there, or is not for this reader, nothing comes back: the page lets go of its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest
from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal
from jiequ.core.http import is_htmx

from . import moves

MOST_CASES = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a page is asked for ("" the whole page), and of which cases (None: of all)."""

    part: str = ""
    cases: tuple[int, ...] | None = None

    @property
    def is_rows(self) -> bool:
        """Only some rows, not what stands around them."""
        return self.cases is not None


def wanted(request: HttpRequest) -> Wanted:
    """Read from the address; an address opened by hand shows the page. Refusal for what is no list of cases."""
    part = request.GET.get("live", "")
    if not part or not is_htmx(request):
        return Wanted()
    named = request.GET.get("cases")
    if named is None:
        return Wanted(part)
    ids = named.split(",")
    if len(ids) > MOST_CASES or not all(moves.is_id(one) for one in ids):
        raise Refusal("bad_cases", _("一次最多看 %(n)s 件，用逗号分开。") % {"n": MOST_CASES}, facts={"field": "cases"})
    return Wanted(part, tuple(int(one) for one in ids))


def turn(moment: datetime | None, pk: int, *, first: str = "") -> str:
    """A row's place among the others as a text that sorts, for ``data-turn``; without a moment it comes last."""
    said = f"{moment.astimezone(UTC):%Y%m%d%H%M%S%f}" if moment else "9"
    return f"{first}{said}-{pk:012d}"
