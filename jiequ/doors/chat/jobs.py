"""What happens without a message: files are fetched, drafts lapse, and what nobody confirmed is forgotten."""

from __future__ import annotations

from datetime import datetime

from jiequ.core.jobs import Call, DeadJob, every, job, on_dead

from . import reporting, services
from .flow import Say
from .models import Draft


def _told(at: datetime, key: str) -> reporting.Told:
    def told(row: Draft, says: list[Say]) -> None:
        names = "+".join(say.name for say in says)
        services.tell(row.follower_id, says, key=f"chat:{row.key}:{key}:{names}", language=row.language, at=at)

    return told


@job(services.FETCH, outside=True, timeout_seconds=40.0, line="chat", hands=4)
def fetch(*, piece_id: int, at: datetime) -> Call | None:
    """A photo or a voice, as soon as it was sent: WeChat keeps it for three days, we want it in the report."""
    return reporting.fetch(piece_id, at=at, told=_told(at, str(piece_id)))


def give_up(dead: DeadJob, *, at: datetime) -> None:
    """After the last try the file counts as lost."""
    piece_id = int(dead.args["piece_id"])
    reporting.lose(piece_id, at=at, told=_told(at, str(piece_id)))


on_dead(give_up, kind=services.FETCH)


@every("chat.sweep", seconds=60)
def sweep(*, at: datetime) -> None:
    """Windows that are over, confirmed reports whose photos do not come, drafts that nobody took up again."""
    reporting.send_late(at=at, told=_told(at, "late"))
    services.lapse(at=at)
    services.forget(at=at)


@every("chat.retention", daily_at="02:45")
def retention(*, at: datetime) -> None:
    """After the nightly job that forgets reporters: recordings of forgotten reports, and drafts that are long done."""
    services.forget_done(at=at)
