"""The plain list of cases as a file: what one sees on the page, as it is narrowed and ordered there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from jiequ.cases.queries.listing import Filters, case_ids, cases_in_order
from jiequ.cases.services import narrowing
from jiequ.core.errors import Refusal
from jiequ.people.rules import Actor

from ..files import MOST_PRINTED, MOST_ROWS, Table
from ..queries import tables

ORDERS = ("", "newest", "due")
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters and the order of one list, read from what a page sent or from what was stored of it."""

    query: str
    filters: Filters
    by_due: bool

    def stored(self) -> dict[str, Any]:
        """The same question for a job."""
        return {"query": self.query, "order": "due" if self.by_due else ""}


def of(query: str, order: str, by: Actor, at: datetime) -> Asked:
    """The question. Refusal for a filter that is none, and for a phone: that is looked up at the desk and put into no file."""
    if order not in ORDERS:
        raise Refusal("bad_order", _("没有这样的排序。"), facts={"field": "order"})
    if len(query) > LONGEST:
        raise Refusal("filter_too_long", _("条件太多，请去掉一些。"), facts={"field": "query"})
    given = narrowing.query_of(query)
    if narrowing.holds_phone(given):
        raise Refusal("phone_in_file", _("按手机尾号的查找不能导出。"), facts={"field": "query"})
    return Asked(given.urlencode(), narrowing.filters_of(given, by, at), order == "due")


def ids_of(asked: Asked, by: Actor, form: str, at: datetime) -> list[int]:
    """The cases in order. Refusal where they are more than one file takes."""
    most = most_rows(form)
    ids = case_ids(by, asked.filters, at=at, most=most + 1, by_due=asked.by_due)
    if len(ids) > most:
        sentence = _("符合条件的案件超过 %(limit)d 件，一个 %(form)s 文件装不下；请再加条件，例如一段时间、一个社区。")
        raise Refusal("too_many_rows", sentence % {"limit": most, "form": form.upper()}, facts={"limit": most})
    return ids


def most_rows(form: str) -> int:
    """How many rows a file of that form takes."""
    return MOST_PRINTED if form == "pdf" else MOST_ROWS


def table_of(asked: Asked, by: Actor, ids: Sequence[int], at: datetime) -> Table:
    """The cases as a table; above it the filters in words. Nobody who reported is named in it, and no phone."""
    query = narrowing.query_of(asked.query)
    said = [f"{chip['label']}：{chip['value']}" for chip in narrowing.chips(query, narrowing.offered(by))]
    above = [_("条件：%(said)s") % {"said": "；".join(said)} if said else _("条件：全部案件")]
    return tables.case_table(_("案件"), cases_in_order(ids), len(ids), at=at, above=above)


def span_of(at: datetime) -> str:
    """As of when the list stands."""
    return _("截至 %(at)s") % {"at": localtime(at).strftime("%Y-%m-%d %H:%M")}


def sight_of(actor: Actor) -> list[str]:
    """The posts a file was made with: whoever has lost one of them since does not fetch it."""
    return sorted(f"{seat.role}:{seat.street_id or ''}:{seat.department_id or ''}" for seat in actor.seats)
