"""A partner that speaks GeoReport: another server with odd but legal answers, and a street that pulls and pushes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from jiequ.cases.models import Case, CaseEvent
from jiequ.doors.open311.models import Partner, Run
from jiequ.doors.open311.services import partners, pulling
from tests.actors import NOW
from tests.casework import Casework
from tests.open311 import work_all
from tests.support.georeport import Foreign, foreign

LATER = NOW + timedelta(minutes=5)

SERVICES = b"""<?xml version="1.0" encoding="utf-8"?><services>
<service><service_code>POTHOLE</service_code><service_name>Pothole</service_name><metadata>true</metadata></service>
<service><service_code>TRASH</service_code><service_name>Trash</service_name></service>
</services>"""


def requests_xml(*more: str, status: str = "open", notes: str = "") -> bytes:
    """One whole request inside grid a, one with hardly a field, one that is closed, one without a number, and ``more``."""
    return f"""<?xml version="1.0" encoding="utf-8"?><service_requests>
<request><service_request_id>7001</service_request_id><status>{status}</status><status_notes>{notes}</status_notes>
<service_code>TRASH</service_code><service_name>Trash</service_name><description>Heap of rubbish</description>
<requested_datetime>2026-03-03T10:00:00+08:00</requested_datetime><lat>23.1805</lat><long>113.5005</long></request>
<request><service_request_id>7002</service_request_id><status>open</status><service_code>OTHER</service_code></request>
<request><service_request_id>7003</service_request_id><status>closed</status><service_code>TRASH</service_code></request>
<request><status>open</status></request>{"".join(more)}</service_requests>""".encode()


@contextmanager
def serving() -> Iterator[Foreign]:
    """The other server, with two services and four requests."""
    with foreign() as told:
        told.answers["GET /services.xml"] = SERVICES
        told.answers["GET /requests.xml"] = requests_xml()
        yield told


def make(work: Casework, there: Foreign, **changes: Any) -> Partner:
    """The street's partner at that server, tried, mapped both ways (TRASH in, POTHOLE out) and going."""
    values: dict[str, Any] = {"name": "市 311", "base_url": there.url, "street_id": work.world.street.pk, "form": "xml"}
    terms = partners.Terms(**(values | {"key": "their-key", "push": "chosen"} | changes))
    partner = partners.make_partner(terms, by=work.actor("xi"), at=NOW)
    work_all()
    kind = work.condition.edition.event_type_id
    for direction, codes in (("in", ["TRASH"]), ("out", ["POTHOLE"])):
        lines = [
            partners.Wanted(code, type_id=kind, attributes={"WHERE": "street"} if direction == "out" else {}) for code in codes
        ]
        partners.map_services(partner.pk, direction, lines, by=work.actor("xi"), at=NOW)
    partners.pause_partner(partner.pk, is_paused=False, by=work.actor("xi"), at=NOW)
    return live(partner)


def live(partner: Partner) -> Partner:
    """The row as it stands now, with its street."""
    return Partner.objects.select_related("street").get(pk=partner.pk)


def pull(partner: Partner, at: Any = NOW) -> Run:
    """One round of reading theirs."""
    return pulling.pull(live(partner), at=at)


def notes_of(case: Case) -> list[str]:
    """What was noted on the case, oldest first."""
    return list(CaseEvent.objects.filter(case=case, move="note").order_by("pk").values_list("text", flat=True))
