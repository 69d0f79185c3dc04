"""Orders, letters and call-backs for pages: the administrator's, the desk's, and one case's."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from jiequ.cases.models import Case, Report, Task
from jiequ.people.rules import Actor, Role

from ..models import Letter, Order, Source, Visit

DESK = (Role.ACCEPTOR, Role.DUTY_LEADER)
PAGE = 50


def return_minutes_of(case: Case) -> int | None:
    """The return window of the hotline that the case came from; None where it has no source here. One SELECT."""
    systems = Report.objects.filter(case=case, source="hotline").values("system")
    return Source.objects.filter(system__name__in=systems).values_list("return_minutes", flat=True).first()


def sources() -> QuerySet[Source]:
    """All of them with what waits for somebody: refused orders, updates to decide, letters not delivered. One SELECT."""
    return (
        Source.objects.select_related("system__street")
        .annotate(
            refused=_count(Order.objects.filter(state=Order.State.REFUSED)),
            updates=_count(Order.objects.filter(state=Order.State.UPDATE)),
            lost=_count(Letter.objects.filter(state=Letter.State.NOT_DELIVERED)),
        )
        .order_by("slug")
    )


def _count(rows: QuerySet[Order] | QuerySet[Letter]) -> Coalesce:
    counted = rows.filter(source=OuterRef("pk")).order_by().values("source").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A keyset page of the log, newest first."""

    rows: list[Order]
    next_before: int | None


def log_page(source: Source, *, state: str = "", before: int | None = None) -> OrderPage:
    """A source's orders as they came, narrowed to a state if asked. One SELECT."""
    rows = Order.objects.filter(source=source).select_related("case").defer("content_sealed").order_by("-pk")
    if state in Order.State.values:
        rows = rows.filter(state=state)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    return OrderPage(found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None)


def last_letters(source: Source, *, size: int = 30) -> list[Letter]:
    """A source's letters, those not delivered first. One SELECT."""
    rows = Letter.objects.filter(source=source).select_related("case").defer("body_sealed")
    lost = Count("pk", filter=Q(state=Letter.State.NOT_DELIVERED))
    return list(rows.annotate(is_lost=lost).order_by("-is_lost", "-pk")[:size])


def _seen(actor: Actor) -> Q:
    """Cases of the streets where the actor sits at the desk."""
    if any(seat.role in DESK and seat.street_id is None for seat in actor.seats):
        return Q(case__isnull=False)
    return Q(case__street_id__in=actor.streets(*DESK))


def to_decide(actor: Actor, *, size: int = PAGE) -> list[Order]:
    """Another content for a number that was taken, oldest first. One SELECT."""
    rows = Order.objects.filter(_seen(actor), state=Order.State.UPDATE).select_related("case", "source__system")
    return list(rows.order_by("pk")[:size])


def update_for(actor: Actor, order_id: int) -> Order | None:
    """One of those; None for another street's."""
    rows = Order.objects.filter(_seen(actor), pk=order_id).exclude(state=Order.State.TAKEN)
    return rows.select_related("case__street", "source__system").first()


def lost_letters(actor: Actor, *, size: int = PAGE) -> list[Letter]:
    """Letters that were not delivered, oldest first. One SELECT."""
    rows = Letter.objects.filter(_seen(actor), state=Letter.State.NOT_DELIVERED)
    return list(rows.select_related("case", "source__system").order_by("pk")[:size])


def unanswered(actor: Actor, *, size: int = PAGE) -> list[Letter]:
    """Questions that the hotline has not answered, oldest first; those answered by hand are left out. One SELECT."""
    still = Task.objects.filter(state=Task.State.OPEN).values("pk")
    rows = Letter.objects.filter(_seen(actor), answer="", task_id__in=still).exclude(state=Letter.State.NOT_DELIVERED)
    return list(rows.select_related("case", "source__system").order_by("pk")[:size])


def refused(actor: Actor, *, size: int = PAGE) -> list[Order]:
    """Orders that were not taken lately, newest first: of the streets' own sources and of the district's. One SELECT."""
    rows = Order.objects.filter(state=Order.State.REFUSED).select_related("source__system")
    if not any(seat.role in DESK and seat.street_id is None for seat in actor.seats):
        streets = actor.streets(*DESK)
        rows = rows.filter(Q(source__system__street_id__in=streets) | Q(source__system__street=None))
    return list(rows.order_by("-pk")[:size])


@dataclass(frozen=True, slots=True)
class Dealings:
    """What passed between a hotline and us about one case."""

    orders: list[Order]
    letters: list[Letter]
    visits: list[Visit]


def dealings_of(case: Case) -> Dealings:
    """Three SELECTs."""
    orders = Order.objects.filter(case=case).exclude(state=Order.State.REFUSED).select_related("source__system").order_by("pk")
    letters = Letter.objects.filter(case=case).defer("body_sealed").order_by("-pk")
    return Dealings(list(orders), list(letters), list(Visit.objects.filter(case=case).order_by("-at", "-pk")))
