"""The reporter's side: sealed identity, private link, query, rating, export, erasure, forgetting, limits."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest

from jiequ.cases import jobs, services
from jiequ.cases.jobs import forget_reporters
from jiequ.cases.models import Case, CaseEvent, Rating, Report, Reporter, Task, TypeEdition
from jiequ.channels.models import Message
from jiequ.channels.services import unseal_account
from jiequ.core import audit
from jiequ.core.errors import Forbidden, NotFound, Refusal, Throttled
from jiequ.core.jobs import work_once
from jiequ.core.models import AuditEntry, Picture
from jiequ.people.rules import Actor
from tests.actors import NOW
from tests.casework import Casework, make_condition, make_picture

PHONE = "13912345678"


def report_of(case: Case) -> Report:
    return Report.objects.get(case=case)


def test_a_name_and_a_phone_are_nowhere_in_the_clear(work: Casework) -> None:
    work.reported()
    row = Reporter.objects.get()
    stored = " ".join(str(value) for value in row.__dict__.values())
    assert PHONE not in stored
    assert "周女士" not in stored
    assert "5678" not in stored


def test_only_an_acceptor_or_duty_leader_may_learn_who_reported_and_says_why(work: Casework) -> None:
    case = work.dispatched()
    report = report_of(case)
    for name in ("he", "huang", "wu", "chen", "du"):
        with pytest.raises((Forbidden, NotFound)):
            services.reveal_reporter(report.pk, reason="想知道", by=work.actor(name), at=NOW)
    with pytest.raises(Refusal):
        services.reveal_reporter(report.pk, reason=" ", by=work.actor("lin"), at=NOW)
    with pytest.raises(NotFound):
        services.reveal_reporter(report.pk, reason="想知道", by=work.actor("wai"), at=NOW)
    revealed = services.reveal_reporter(report.pk, reason="回访", by=work.actor("lin"), at=NOW)
    assert (revealed.name, revealed.phone) == ("周女士", PHONE)
    assert AuditEntry.objects.filter(action="reporter.reveal", person_id=work.world.lin.pk).count() == 1
    assert case.events.get(move="reveal").text == "回访"


def test_a_private_link_opens_its_report_until_it_is_revoked_or_expires(work: Casework) -> None:
    reported = work.reported()
    assert services.report_of_link(reported.token, at=NOW).pk == reported.report.pk
    for token in ("x" * 43, reported.token[:-1], ""):
        with pytest.raises(NotFound):
            services.report_of_link(token, at=NOW)
    with pytest.raises(NotFound):
        services.report_of_link(reported.token, at=NOW + timedelta(days=400))
    services.revoke_link(reported.report, at=NOW)
    with pytest.raises(NotFound):
        services.report_of_link(reported.token, at=NOW)


def test_a_number_alone_opens_nothing(work: Casework) -> None:
    reported = work.reported()
    assert services.report_by_number(reported.case.number.lower(), "5678").pk == reported.report.pk
    for last4 in ("1234", "", "56789"):
        with pytest.raises(NotFound):
            services.report_by_number(reported.case.number, last4)


def test_one_report_is_rated_once_and_only_by_its_own_reporter(work: Casework) -> None:
    case = work.closed()
    report = report_of(case)
    by = Actor.resident(report.pk)
    stranger = Actor.resident(work.reported(words="别的事").report.pk)
    with pytest.raises(Forbidden):
        services.rate(case, report=report, is_solved=True, satisfaction=5, by=stranger, at=NOW)
    services.rate(case, report=report, is_solved=False, satisfaction=2, by=by, at=NOW)
    with pytest.raises(Refusal) as refused:
        services.rate(case, report=report, is_solved=True, satisfaction=5, by=by, at=NOW)
    assert refused.value.code == "rated_already"


def test_a_rating_taken_by_phone_says_who_took_it(work: Casework) -> None:
    case = work.fresh(work.closed(), "lin")
    services.rate(case, report=report_of(case), is_solved=True, satisfaction=4, by=work.actor("lin"), at=NOW)
    assert report_of(case).rating.taken_by_id == work.world.lin.pk


def test_a_person_gets_everything_that_is_kept_about_them(work: Casework) -> None:
    first = work.reported(words="第一件", device="d1")
    work.reported(words="第二件", device="d1")
    kept = services.export_person(first.report, device="d1", at=NOW)
    assert (kept["name"], kept["phone"]) == ("周女士", PHONE)
    assert [r["words"] for r in kept["reports"]] == ["第一件", "第二件"]


def test_erasure_takes_the_reporters_photos_and_leaves_those_of_the_work(work: Casework) -> None:
    picture = make_picture(work.world.street.pk, "mine")
    case = work.closed(pictures=[picture])
    assert services.erase_person(report_of(case), at=NOW) == 1
    assert not Picture.objects.filter(pk=picture.pk).exists()
    assert list(case.proofs.values_list("phase", flat=True)) == ["after"]


def test_erasure_waits_for_open_cases_then_empties_everything_beside_an_unbroken_chain(work: Casework) -> None:
    case = work.closed(device="d1")
    report = report_of(case)
    open_one = work.reported(words="还没办", device="d1").case
    with pytest.raises(Refusal) as refused:
        services.erase_person(report, device="d1", at=NOW)
    assert refused.value.code == "case_open"
    services.reject(work.fresh(open_one, "lin"), reason_code="unlawful", by=work.actor("lin"), at=NOW)
    audit.seal_pending(at=NOW)
    assert services.erase_person(report, device="d1", at=NOW) == 2
    audit.seal_pending(at=NOW)
    report.refresh_from_db()
    assert report.words == report.token_hash == report.device_blind == ""
    assert not Reporter.objects.exclude(phone_sealed="", name_sealed="", phone_blind="", last4_blind="").exists()
    assert audit.verify(case.street_id).ok
    case.refresh_from_db()
    assert "垃圾" not in case.title


def test_an_account_is_told_finds_its_reports_and_is_erased_whole(work: Casework) -> None:
    contact = services.Contact(account="wechat:17")
    first, second = (work.closed(contact=contact, words=words, device="") for words in ("桥下有垃圾", "还有一件"))
    other = work.closed(contact=services.Contact(account="wechat:18"))
    while work_once(at=NOW + timedelta(minutes=1), limit=50):
        pass
    told = Message.objects.filter(about=f"case:{first.pk}", template="reporter_closed").get()
    assert (unseal_account(told.to_account_sealed), told.to_phone_sealed) == (("wechat", "17"), "")
    assert [report.case_id for report in services.reports_of_account("wechat:17")] == [second.pk, first.pk]
    assert len(services.export_person(report_of(first), account="wechat:17", at=NOW)["reports"]) == 2
    assert len(services.export_person(report_of(first), account="wechat:18", at=NOW)["reports"]) == 1
    assert services.erase_person(report_of(first), account="wechat:17", at=NOW) == 2
    kept = Reporter.objects.exclude(account_sealed="", account_blind="")
    assert [reporter.reports.get().case_id for reporter in kept] == [other.pk]
    assert not Message.objects.filter(about=f"case:{first.pk}").exclude(to_account_sealed="").exists()
    assert list(services.reports_of_account("wechat:17")) == []


def test_identities_are_forgotten_at_night_when_their_time_is_over(work: Casework) -> None:
    ended, running = work.closed(), work.accepted(contact=services.Contact(name="李", phone="13800138000"))
    forget_reporters(at=NOW + timedelta(days=200))
    assert Reporter.objects.filter(erased_at=None).count() == 2
    forget_reporters(at=NOW + timedelta(days=370))
    assert report_of(ended).reporter.erased_at is not None
    assert report_of(running).reporter.erased_at is None


def test_past_the_limits_a_report_is_taken_and_held_never_dropped(work: Casework) -> None:
    place = work.place()
    asked = {"device": "d1", "address": "203.0.113.9", "place": place, "at": NOW}
    held = []
    for _ in range(24):
        is_suspect = services.is_suspect(**asked)
        held.append(is_suspect)
        work.reported(device="d1", is_suspect=is_suspect, contact=None, words="又一件")
    assert not any(held[:15])
    assert all(held[20:])
    assert Case.objects.count() == 24
    assert Case.objects.filter(is_suspect=True).count() == sum(held) > 0


def test_a_machine_is_refused_with_the_time_to_come_back(work: Casework) -> None:
    from jiequ.cases.services import limits

    place = services.Place(words="某处")
    for _ in range(limits.ADDRESS_A_DAY + limits.ADDRESS_AT_MOST):
        services.is_suspect(device="", address="203.0.113.9", place=place, at=NOW)
    with pytest.raises(Throttled) as refused:
        services.is_suspect(device="", address="203.0.113.9", place=place, at=NOW)
    assert refused.value.facts["retry_after_seconds"] > 0


def test_every_third_voice_urges_whoever_has_the_case(work: Casework) -> None:
    case = work.dispatched()
    for _ in range(2):
        services.me_too(work.fresh(case, "lin"), account=work.account(words="我也"), by=work.actor("zhou"), at=NOW)
    case.refresh_from_db()
    assert (case.voices, case.urges) == (3, 1)
    assert case.tasks.get(kind="urge").facts == {"cause": "repeat"}


def test_a_bad_phone_and_an_empty_report_get_a_sentence(work: Casework) -> None:
    for change, code in (
        ({"contact": services.Contact(phone="123")}, "bad_phone"),
        ({"words": "", "contact": None}, "nothing_said"),
        ({"words": "字" * 2001}, "words_too_long"),
        ({"wants_call": True, "contact": None}, "phone_missing"),
        ({"place": services.Place(x=500.0, y=1.0)}, "bad_position"),
        ({"place": services.Place(x=113.5, y=23.1, system="mars")}, "bad_system"),
    ):
        with pytest.raises(Refusal) as refused:
            work.reported(**change)
        assert refused.value.code == code
        assert str(refused.value)
    assert not Case.objects.exists()
    assert not Report.objects.exists()
    assert not Reporter.objects.exists()


def test_a_type_adds_protection_and_never_takes_it_away(work: Casework) -> None:
    secret = make_condition("0199", name="举报事项")
    TypeEdition.objects.filter(pk=secret.edition_id).update(is_confidential=True)
    by_type = work.reported(by="chen", source="staff", condition_id=secret.pk).case
    assert by_type.is_confidential
    asked = work.accepted(is_confidential=True)
    asked.refresh_from_db()
    assert asked.is_confidential
    found = work.fresh(work.just_reported(), "lin")
    services.accept(found, condition_id=secret.pk, by=work.actor("lin"), at=NOW)
    assert found.is_confidential


def test_an_identity_is_kept_from_the_end_of_the_case_not_from_the_report(work: Casework) -> None:
    late = NOW + timedelta(days=200)
    case = work.fresh(work.just_reported(), "lin")
    services.reject(case, reason_code="unlawful", by=work.actor("lin"), at=late)
    forget_reporters(at=NOW + timedelta(days=370))
    assert report_of(case).reporter.erased_at is None
    forget_reporters(at=late + timedelta(days=365))
    assert report_of(case).reporter.erased_at is None
    forget_reporters(at=late + timedelta(days=367))
    assert report_of(case).reporter.erased_at is not None


def test_one_night_forgets_more_than_one_batch(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_BATCH", 2)
    for n in range(5):
        case = work.reported(contact=services.Contact(phone=f"1391234567{n}")).case
        services.reject(work.fresh(case, "lin"), reason_code="unlawful", by=work.actor("lin"), at=NOW)
    night = NOW + timedelta(days=400)
    forget_reporters(at=night)
    assert Reporter.objects.filter(erased_at=None).count() == 3
    while work_once(at=night):
        pass
    assert not Reporter.objects.filter(erased_at=None).exists()


def test_erasure_reaches_the_words_that_events_and_ratings_quote(work: Casework) -> None:
    secret = "紫荆路三十八号二楼张家门口"
    case = work.fresh(work.reported(words=secret).case, "lin")
    place = services.Place(*work.world.point_in("a"), words=secret)
    services.correct(case, place=place, title="占道", by=work.actor("lin"), at=NOW)
    services.correct(case, title="占道堆物", by=work.actor("lin"), at=NOW)
    report = report_of(case)
    resident = Actor.resident(report.pk)
    Case.objects.filter(pk=case.pk).update(event_type=work.condition.edition.event_type, condition=work.condition)
    Case.objects.filter(pk=case.pk).update(state="closed", closing="normal", ended_at=NOW)
    services.rate(work.fresh(case, "lin"), report=report, is_solved=False, satisfaction=1, text=secret, by=resident, at=NOW)
    services.reopen(work.fresh(case, "lin"), text=secret, by=resident, at=NOW)
    Case.objects.filter(pk=case.pk).update(state="closed", closing="normal", ended_at=NOW)
    services.erase_person(report_of(case), at=NOW)
    kept = [*Case.objects.values(), *CaseEvent.objects.values(), *Report.objects.values(), *Rating.objects.values()]
    assert secret not in str(kept)


def test_ten_photos_are_refused_not_cut_to_nine(work: Casework) -> None:
    with pytest.raises(Refusal) as refused:
        services.cleaned([BytesIO(b"x")] * 10)
    assert (refused.value.code, refused.value.facts) == ("too_many_photos", {"limit": 9})


def test_the_words_of_whoever_left_no_name_are_forgotten_too(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_BATCH", 2)
    for n in range(3):
        case = work.reported(contact=None, device=f"d{n}", words="我家在三楼").case
        services.reject(work.fresh(case, "lin"), reason_code="unlawful", by=work.actor("lin"), at=NOW)
    still_open = work.reported(contact=None, words="我家在四楼").case
    staff = work.reported(by="chen", source="staff", contact=None, words="巡查所见").case
    services.reject(work.fresh(staff, "lin"), reason_code="unlawful", by=work.actor("lin"), at=NOW)
    forget_reporters(at=NOW + timedelta(days=365))
    assert Report.objects.exclude(words="").count() == 5
    night = NOW + timedelta(days=367)
    forget_reporters(at=night)
    while work_once(at=night):
        pass
    assert set(Report.objects.exclude(words="").values_list("case", flat=True)) == {still_open.pk, staff.pk}
    assert not Report.objects.exclude(device_blind="").exists()


def test_another_voice_after_days_urges_once_until_it_is_answered(work: Casework) -> None:
    case = work.handling()
    for day, urges in ((1, 0), (6, 1), (7, 1)):
        account = work.account()
        services.me_too(work.fresh(case, "lin"), account=account, by=Actor.resident(None), at=NOW + timedelta(days=day))
        found = Task.objects.filter(case=case, kind="urge", facts__cause="repeat")
        if Case.objects.get(pk=case.pk).voices % 3:
            assert found.count() == urges, day
