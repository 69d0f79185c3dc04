"""Other GeoReport servers: theirs become our cases once, ours go over once; their odd answers: test_open311_partner_faults.py.

The other side is a tiny server with odd but legal answers; our own door as the other side is in test_open311_two_streets.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from jiequ.cases import services as cases
from jiequ.cases.models import Case, Report
from jiequ.cases.queries import types
from jiequ.core.errors import Refusal
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.doors.open311 import jobs
from jiequ.doors.open311.models import Mapping, Mirror, Partner, Run, SeenUpdate
from jiequ.doors.open311.services import partners, pulling, pushing, telling
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.open311 import open_up, rows, work_all
from tests.support.georeport import Asked, Foreign
from tests.support.partners import LATER, live, make, notes_of, pull, requests_xml


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


# -- in ------------------------------------------------------------------------------------------------------------------


def test_their_open_requests_become_our_cases_once_by_the_mapping(work: Casework, there: Foreign) -> None:
    partner = make(work, there)
    assert [one["code"] for one in partner.services] == ["POTHOLE", "TRASH"]
    run = pull(partner)
    assert (run.error, run.counts) == ("", {"new": 2, "closed_there": 1, "unnumbered": 1, "known": 2})
    typed, untyped = Case.objects.order_by("pk")
    assert (typed.condition_id, typed.unit_grid_id, typed.source) == (work.condition.pk, work.world.grid_a.pk, "outside")
    assert (untyped.condition_id, untyped.street_id) == (None, work.world.street.pk)
    report = Report.objects.get(case=typed)
    assert (report.words, report.source_ref, report.reporter_id) == ("Heap of rubbish", "7001", None)
    again = pull(partner, LATER)
    assert "new" not in again.counts
    assert Case.objects.count() == 2
    first = there.asked("GET /requests.xml")[1].given
    assert (first["page"], first["page_size"]) == ("1", "100")
    assert first["start_date"] == "2026-02-02T02:00:00Z"
    overlapping = [one.given for one in there.asked("GET /requests.xml") if "start_date" in one.given][-1]
    assert overlapping["start_date"] == "2026-03-02T02:00:00Z"  # two days before the round that ended well


def test_without_the_number_a_round_made_twice_would_open_everything_twice(
    work: Casework, there: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: neither the mirror nor the source's reference is looked at."""
    partner = make(work, there)
    pull(partner)
    real = pulling._account
    monkeypatch.setattr(pulling, "_account", lambda p, row, number, c, at: real(p, row, f"{number}-again", c, at))
    Mirror.objects.all().delete()
    pull(partner, LATER)
    assert Case.objects.count() == 4


def test_what_only_mirrors_another_server_is_not_published_a_second_time(work: Casework, there: Foreign) -> None:
    pull(make(work, there))
    assert Case.objects.count() == 2
    assert rows("requests.json") == []


def test_left_out_services_and_other_places_open_nothing(work: Casework, there: Foreign) -> None:
    partner = make(work, there)
    partners.map_services(partner.pk, "in", [partners.Wanted("TRASH", use="leave")], by=work.actor("xi"), at=NOW)
    far = "<request><service_request_id>7009</service_request_id><status>open</status><service_code>OTHER</service_code>"
    there.answers["GET /requests.xml"] = requests_xml(far + "<lat>23.1805</lat><long>113.5025</long></request>")
    run = pull(partner)
    assert (run.counts["left_out"], run.counts["elsewhere"], run.counts["new"]) == (1, 1, 1)


def test_pages_are_read_to_the_end_and_a_server_without_pages_is_asked_no_further(work: Casework, there: Foreign) -> None:
    partner = make(work, there)
    many = [f"<request><service_request_id>{n}</service_request_id><status>closed</status></request>" for n in range(250)]

    def paged(asked: Asked) -> bytes:
        page = int(asked.given.get("page", "1"))
        return f"<service_requests>{''.join(many[(page - 1) * 100 : page * 100])}</service_requests>".encode()

    there.answers["GET /requests.xml"] = paged
    there.calls.clear()
    assert pull(partner).counts == {"closed_there": 250}
    assert len(there.calls) == 3
    there.answers["GET /requests.xml"] = f"<service_requests>{''.join(many)}</service_requests>".encode()
    there.calls.clear()
    assert pull(partner, LATER).counts == {"closed_there": 250}
    assert len(there.calls) == 2


def test_their_changes_are_noted_on_our_case_once(work: Casework, there: Foreign) -> None:
    partner = make(work, there)
    pull(partner)
    case = Case.objects.get(condition=work.condition)
    there.answers["GET /requests.xml"] = requests_xml(status="closed", notes="Duplicate of 6990")
    pull(partner, LATER)
    assert notes_of(case) == ["对方状态：closed。对方说：Duplicate of 6990"]
    pull(partner, LATER + timedelta(minutes=5))
    assert len(notes_of(case)) == 1
    case.refresh_from_db()
    assert case.state == "reported"  # whether it is closed is for the street to say


# -- out -----------------------------------------------------------------------------------------------------------------


def test_a_case_goes_over_with_the_words_that_were_chosen_and_nobodys_name(work: Casework, there: Foreign) -> None:
    partner, case = make(work, there), work.accepted()
    there.answers["POST /requests.xml"] = (
        b"<service_requests><request><service_request_id>9001</service_request_id></request></service_requests>"
    )
    lin = work.world.client("lin")
    page = f"/open311/publish/{case.number}/"
    assert "市 311" in lin.get(page).content.decode()
    sent = lin.post(f"{page}push", {"partner": partner.pk, "description": "河涌边有垃圾"})
    assert sent.status_code == 302, sent.content.decode()
    assert lin.post(f"{page}push", {"partner": partner.pk, "description": "再来"}).status_code == 422
    work_all()
    (asked,) = there.asked("POST /requests.xml")
    assert asked.given == {
        "api_key": "their-key", "service_code": "POTHOLE", "description": "河涌边有垃圾", "lat": "23.180500",
        "long": "113.500500", "address_string": "东涌社区", "attribute[WHERE]": "street",
    }  # fmt: skip
    assert asked.headers["Idempotency-Key"].startswith(f"jiequ-{partner.pk}-{case.number}-")
    mirror = Mirror.objects.get()
    assert (mirror.request_id, mirror.state, mirror.direction) == ("9001", "known", "out")
    assert "9001" in lin.get(page).content.decode()
    secret = work.accepted(is_confidential=True)
    assert lin.post(f"/open311/publish/{secret.number}/push", {"partner": partner.pk, "description": "x"}).status_code == 422


def test_a_token_becomes_a_number_in_a_later_round(work: Casework, there: Foreign) -> None:
    partner, case = make(work, there, pulls=False), work.accepted()
    there.answers["POST /requests.xml"] = b"<service_requests><request><token>t-1</token></request></service_requests>"
    mirror = pushing.choose(case, partner_id=partner.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    work_all()
    mirror.refresh_from_db()
    assert (mirror.state, mirror.token, mirror.request_id) == ("token", "t-1", "")
    there.answers["GET /tokens/t-1.xml"] = b"<service_requests/>"
    pull(partner)
    there.answers["GET /tokens/t-1.xml"] = (
        b"<service_requests><request><token>t-1</token><service_request_id>9002</service_request_id></request></service_requests>"
    )
    pull(partner, LATER)
    mirror.refresh_from_db()
    assert (mirror.state, mirror.request_id) == ("known", "9002")


def test_a_refusal_of_theirs_is_final_and_a_fault_is_tried_again_with_the_same_key(work: Casework, there: Foreign) -> None:
    partner = make(work, there, pulls=False)
    there.answers["POST /requests.xml"] = (500, b"")
    case = work.accepted()
    pushing.choose(case, partner_id=partner.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    work_once(at=NOW, limit=5, outside=True)
    assert Job.objects.filter(kind=pushing.PUSH, failures=1).count() == 1
    there.answers["POST /requests.xml"] = (
        400,
        b"<errors><error><code>400</code><description>No such place</description></error></errors>",
    )
    work_all()
    keys = {one.headers["Idempotency-Key"] for one in there.asked("POST /requests.xml")}
    assert len(keys) == 1
    mirror = Mirror.objects.get()
    assert (mirror.state, mirror.error) == ("failed", "No such place")
    assert not Job.objects.filter(kind=pushing.PUSH).exists()


def test_mapped_types_go_over_by_themselves_once_filed_but_not_what_came_from_there(work: Casework, there: Foreign) -> None:
    partner = make(work, there, push="mapped")
    pull(partner)
    theirs = Case.objects.get(condition=work.condition)
    cases.accept(work.fresh(theirs, "lin"), by=work.actor("lin"), at=NOW)
    mine = work.accepted()
    work.accepted(is_confidential=True)
    run = telling.tell(live(partner), at=LATER)
    assert run is not None
    assert run.counts == {"pushes": 1}
    assert [one.case_id for one in Mirror.objects.filter(direction="out")] == [mine.pk]
    assert telling.tell(live(partner), at=LATER) is None


def test_what_became_a_report_of_wrongdoing_since_it_was_chosen_stays_here(work: Casework, there: Foreign) -> None:
    partner, lin = make(work, there, pulls=False), work.actor("lin")
    for change in ({"is_confidential": True}, {"is_suspect": True}):
        case = work.accepted()
        mirror = pushing.choose(case, partner_id=partner.pk, description="垃圾", by=lin, at=NOW)
        Case.objects.filter(pk=case.pk).update(**change)
        work_all()
        mirror.refresh_from_db()
        assert (mirror.state, mirror.error) == ("failed", "not_public")
    assert "成了举报或待核查的案件" in work.world.client("xi").get(f"/open311/partners/{partner.pk}/").content.decode()
    later = work.accepted()
    mirror = pushing.choose(later, partner_id=partner.pk, description="垃圾", by=lin, at=NOW)
    work.condition.edition.is_confidential = True
    work.condition.edition.save()
    types.forget()
    work_all()
    mirror.refresh_from_db()
    assert mirror.error == "not_public"
    with pytest.raises(Refusal) as refused:
        pushing.choose(work.accepted(), partner_id=partner.pk, description="垃圾", by=lin, at=NOW)
    assert refused.value.code == "not_public"
    assert there.asked("POST /requests.xml") == []


def test_a_number_that_stands_for_another_case_already_is_told_and_not_tried_again(work: Casework, there: Foreign) -> None:
    partner = make(work, there, pulls=False)
    there.answers["POST /requests.xml"] = (
        b"<service_requests><request><service_request_id>9001</service_request_id></request></service_requests>"
    )
    for case in (work.accepted(), work.accepted()):
        pushing.choose(case, partner_id=partner.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    work_all()
    assert len(there.asked("POST /requests.xml")) == 2
    assert [(one.state, one.error) for one in Mirror.objects.order_by("pk")] == [("known", ""), ("failed", "number_taken")]
    page = work.world.client("lin").get(f"/open311/publish/{case.number}/").content.decode()
    assert "对方给的编号已经是另一个案件的" in page


def test_what_was_chosen_while_the_partner_is_paused_goes_over_once_it_goes_on(work: Casework, there: Foreign) -> None:
    partner, xi = make(work, there, pulls=False), work.actor("xi")
    partners.pause_partner(partner.pk, is_paused=True, by=xi, at=NOW)
    mirror = pushing.choose(work.accepted(), partner_id=partner.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    work_all()
    assert not Job.objects.filter(kind=pushing.PUSH).exists()  # no tries are used up: a pause may last for days
    assert there.asked("POST /requests.xml") == []
    there.answers["POST /requests.xml"] = (
        b"<service_requests><request><service_request_id>9003</service_request_id></request></service_requests>"
    )
    partners.pause_partner(partner.pk, is_paused=False, by=xi, at=NOW)
    assert list(Job.objects.filter(kind=pushing.PUSH).values_list("lane", flat=True)) == [f"{pushing.PUSH}:{mirror.pk}"]
    work_all()
    mirror.refresh_from_db()
    assert (mirror.state, mirror.request_id) == ("known", "9003")
    assert len(there.asked("POST /requests.xml")) == 1


# -- the administrator's pages -------------------------------------------------------------------------------------------


def test_the_administrator_makes_tests_maps_resumes_and_ends_a_partner(work: Casework, there: Foreign) -> None:
    xi = work.world.client("xi")
    form = {"name": "市 311", "base_url": f"{there.url}/", "street": work.world.street.pk, "form": "xml", "push": "chosen",
            "key": "their-key", "pulls": "on"}  # fmt: skip
    assert xi.post("/open311/partners/", form | {"base_url": "ftp://x"}).status_code == 422
    made = xi.post("/open311/partners/", form)
    assert made.status_code == 302, made.content.decode()
    partner = Partner.objects.get()
    assert partner.paused_at is not None
    assert "their-key" not in partner.key_sealed
    work_all()
    page = f"/open311/partners/{partner.pk}/"
    shown = xi.get(page).content.decode()
    assert "Pothole" in shown
    assert "their-key" not in shown
    kind = work.condition.edition.event_type_id
    assert xi.post(f"{page}mappings", {"direction": "in", "in:TRASH": f"{kind}:only", "in:POTHOLE": "leave"}).status_code == 302
    assert (
        xi.post(f"{page}mappings", {"direction": "out", f"out:{kind}": "POTHOLE", f"attributes:{kind}": "A=1\nB=2"}).status_code
        == 302
    )
    assert xi.post(f"{page}mappings", {"direction": "out", f"out:{kind}": "NONE"}).status_code == 422
    assert Mapping.objects.get(direction="out").attributes == {"A": "1", "B": "2"}
    preview = xi.get(page).content.decode()
    assert preview.index("7001") < preview.index("不收：对方已办结")
    assert xi.post(f"{page}edit", form | {"name": "市级 311", "key": ""}).status_code == 302
    assert xi.post(f"{page}pause", {"act": "resume"}).status_code == 302
    jobs.rounds(at=NOW)
    work_all()
    assert Case.objects.count() == 2
    assert xi.post(f"{page}pull").status_code == 302
    assert xi.post(f"{page}end").status_code == 302
    partner.refresh_from_db()
    assert (partner.key_sealed, partner.name) == ("", "市级 311")
    assert xi.post(f"{page}test").status_code == 404
    assert work.world.client("lin").get("/open311/partners/").status_code == 403


def test_old_rounds_are_forgotten(work: Casework, there: Foreign) -> None:
    partner = make(work, there)
    pull(partner)
    assert Run.objects.exists()
    jobs.retention(at=NOW + timedelta(days=31))
    assert not Run.objects.exists()
    assert SeenUpdate.objects.count() == 0
