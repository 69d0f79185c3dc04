"""What orders, letters and call-backs say is forgotten when its time is over; counts and times stay (docs/retention.md)."""

from __future__ import annotations

from datetime import datetime, timedelta

from jiequ.core.db import writing

from ..models import Letter, Order, Source, Visit
from .folders import forget_files

CONTENT, LOST, WORDS = timedelta(days=30), timedelta(days=90), timedelta(days=365)


def forget(*, at: datetime) -> None:
    """Orders and letters after 30 days (90 where refused, undecided or not delivered), call-backs' words after a year."""
    open_ones = [Order.State.REFUSED, Order.State.UPDATE]
    orders = Order.objects.exclude(content_sealed="")
    letters = Letter.objects.exclude(body_sealed="")
    with writing():
        orders.filter(last_at__lt=at - CONTENT).exclude(state__in=open_ones).update(content_sealed="")
        orders.filter(last_at__lt=at - LOST).update(content_sealed="")
        Order.objects.filter(state=Order.State.REFUSED, last_at__lt=at - LOST).delete()
        letters.filter(ended_at__lt=at - CONTENT).exclude(state=Letter.State.NOT_DELIVERED).update(body_sealed="")
        letters.filter(ended_at__lt=at - LOST).update(body_sealed="")
        Visit.objects.exclude(words_sealed="").filter(received_at__lt=at - WORDS).update(words_sealed="")
    for source in Source.objects.all():
        forget_files(source, before=(at - CONTENT).timestamp())
