"""Pictures that a caller points to: fetched by a job under the rules of ``core.outgoing``, through the one door for photos."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from jiequ.cases.models import Case, Proof, Report
from jiequ.core import outgoing, pictures, secrets
from jiequ.core.errors import Refusal
from jiequ.core.jobs import JobSpec, enqueue

from ..models import MediaFetch

FETCH = "open311.fetch_media"
PURPOSE = "open311-media"
KEPT = timedelta(days=30)
_AGAIN = frozenset({"timed_out", "no_connection", "no_answer", "unknown_host"})
"""Faults that may pass; every other one is for good."""


class Again(Exception):
    """Try later."""


def checked(url: str) -> str:
    """The address if it is one that may be called; "" for none. Refusal for any other: it is told at once."""
    if url:
        outgoing.target_of(url)
    return url


def ask(report: Report, url: str, *, at: datetime) -> MediaFetch:
    """Have a picture fetched for a report. In the caller's transaction."""
    wanted = MediaFetch.objects.create(report=report, url_sealed=secrets.seal(url, PURPOSE), made_at=at)
    enqueue(JobSpec(FETCH, {"media_id": wanted.pk}, run_at=at, key=f"open311:media:{wanted.pk}", street_id=report.street_id))
    return wanted


def fetched(media_id: int, *, at: datetime) -> Callable[[], None] | None:
    """Fetch it, outside of any transaction; gives what is to be stored. Raises Again for a fault that may pass."""
    wanted = MediaFetch.objects.select_related("report__case").filter(pk=media_id, state=MediaFetch.State.WAITING).first()
    if wanted is None:
        return None
    try:
        answer = outgoing.fetch(secrets.unseal(wanted.url_sealed, PURPOSE), largest=pictures.MAX_BYTES)
        if answer.status != 200:
            return partial(_ended, wanted, f"status_{answer.status}", at)
        clean = pictures.clean(io.BytesIO(answer.body))
    except outgoing.Unreachable as failed:
        if failed.code in _AGAIN:
            raise Again(failed.code) from None
        return partial(_ended, wanted, failed.code, at)
    except Refusal as refusal:
        return partial(_ended, wanted, refusal.code, at)
    return partial(_kept, wanted, clean, at)


def give_up(media_id: int, *, at: datetime) -> None:
    """No try is left."""
    wanted = MediaFetch.objects.filter(pk=media_id, state=MediaFetch.State.WAITING).first()
    if wanted is not None:
        _ended(wanted, "unreachable", at)


def _kept(wanted: MediaFetch, clean: pictures.Clean, at: datetime) -> None:
    """The photo stands beside the report it came with (also where the case was merged meanwhile)."""
    report = wanted.report
    case = Case.objects.get(pk=report.case_id)
    picture = pictures.keep(clean, street_id=report.street_id, at=at)
    Proof.objects.create(case=case, report=report, kind="photo", phase=Proof.Phase.REPORT, picture=picture, at=at)
    _ended(wanted, "", at)


def _ended(wanted: MediaFetch, error: str, at: datetime) -> None:
    state = MediaFetch.State.FAILED if error else MediaFetch.State.KEPT
    MediaFetch.objects.filter(pk=wanted.pk).update(state=state, error=error[:40], ended_at=at, url_sealed="")


def forget(*, at: datetime) -> int:
    """Fetches past their time; how many."""
    return MediaFetch.objects.filter(made_at__lt=at - KEPT).exclude(state=MediaFetch.State.WAITING).delete()[0]
