"""What ends when an outside account no longer is a person's: the sessions of that phone."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from jiequ.core import audit
from jiequ.core.db import writing

from ..models import Device, Session


def drop_account_sessions(account: str, *, person_id: int | None = None, browser: str = "") -> int:
    """Ends every session that came in by the account; call inside a transaction. Returns how many.

    With a person, also what that person opened by password in the channel's own browser (its name stands in the label), and
    that browser no longer enters by itself: the phone may be in another's hands.
    """
    gone = Q(account=account)
    if person_id is not None and browser:
        gone |= Q(person_id=person_id, label__contains=browser)
        Device.objects.filter(person_id=person_id, label__contains=browser).delete()
    ended, _rows = Session.objects.filter(gone).delete()
    return ended


def end_account_sessions(account: str, *, at: datetime) -> None:
    """Signs an account out wherever it came in, on its holder's own wish."""
    with writing():
        drop_account_sessions(account)
        audit.record(
            street_id=None, person_id=None, action="account.sessions_ended", object_kind="account", object_id=account, at=at
        )
