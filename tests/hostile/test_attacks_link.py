"""Somebody with a stolen private link, a made-up phone or a "me too": what they learn of others, and what they can spoil."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Report
from jiequ.core import pictures
from jiequ.core.errors import Throttled
from jiequ.core.models import IdempotencyKey
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.photos import upload

PHONE = "13912345678"
DEVICE = "d" * 32


@pytest.fixture(autouse=True)
def still(clock: MovableClock) -> MovableClock:
    return clock


def browser_of(device: str) -> Client:
    client = Client()
    client.cookies["device"] = device
    return client


def here(work: Casework) -> dict[str, Any]:
    lon, lat = work.world.point_in("a")
    return {"lon": lon, "lat": lat, "accuracy_m": "8", "system": "cgcs2000"}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


# -- export and erasure ----------------------------------------------------------------------------------------------


def test_a_stolen_link_gives_neither_name_nor_phone_nor_another_report(work: Casework) -> None:
    stolen = work.reported(words="井盖坏了", device=DEVICE)
    work.reported(words="隔壁三楼私宰", device=DEVICE)
    for thief in (Client(), browser_of("t" * 32)):
        kept = thief.get(f"/r/{stolen.token}/export").json()
        assert (kept["name"], kept["phone"]) == ("", "")
        assert [one["words"] for one in kept["reports"]] == ["井盖坏了"]
        assert kept["note"]
    own = browser_of(DEVICE).get(f"/r/{stolen.token}/export").json()
    assert (own["name"], own["phone"]) == ("周女士", PHONE)
    assert [one["words"] for one in own["reports"]] == ["井盖坏了", "隔壁三楼私宰"]


def test_whoever_types_in_anothers_phone_reads_and_erases_nothing_of_theirs(work: Casework) -> None:
    victim = work.closed()
    words = victim.reports.get().words
    forged = work.reported(words="随便", device="t" * 32, contact=services.Contact(phone=PHONE))
    thief = browser_of("t" * 32)
    assert words not in text_of(thief.get(f"/r/{forged.token}/export"))
    services.reject(work.fresh(forged.case, "lin"), reason_code="untrue", by=work.actor("lin"), at=NOW)
    assert thief.post(f"/r/{forged.token}/erase").status_code == 200
    report = victim.reports.select_related("reporter").get()
    assert report.words == words
    assert report.reporter.erased_at is None
    assert Report.objects.get(pk=forged.report.pk).words == ""


def test_what_was_split_off_is_erased_with_its_report_and_not_while_it_is_open(work: Casework) -> None:
    first = work.reported(device=DEVICE)
    second = services.split(work.fresh(first.case, "lin"), words="还有一件", by=work.actor("lin"), at=NOW)
    services.reject(work.fresh(first.case, "lin"), reason_code="untrue", by=work.actor("lin"), at=NOW)
    assert Client().post(f"/r/{first.token}/erase").status_code == 422
    services.reject(work.fresh(second.case, "lin"), reason_code="untrue", by=work.actor("lin"), at=NOW)
    assert Client().post(f"/r/{first.token}/erase").status_code == 200


# -- me too ----------------------------------------------------------------------------------------------------------


def fish(work: Casework, **more: Any) -> tuple[Client, str]:
    """Look near a point, say "me too" to the only case there; the fisher's browser and link."""
    fisher = Client()
    (offer,) = re.findall(r'name="me_too" value="([^"]+)"', text_of(fisher.post("/report/suggest", here(work))))
    answer = fisher.post("/report/", {"me_too": offer, "phone": "13700009999", **more})
    assert answer.status_code == 303
    return fisher, answer["Location"]


@pytest.mark.parametrize("is_filed", [False, True])
def test_a_me_too_learns_neither_the_others_words_nor_their_address_nor_their_point(work: Casework, is_filed: bool) -> None:
    x, y = work.world.point_in("a")
    place = services.Place(x=x, y=y, system="cgcs2000", words="我家三栋501")
    case = work.reported(words="邻居王某半夜打人", place=place).case
    if is_filed:
        services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    fisher, link = fish(work)
    token = link.split("/")[2]
    asked = {"number": case.number, "last4": "9999"}
    shown = text_of(fisher.get(link)) + text_of(fisher.post("/query/", asked)) + text_of(fisher.get(f"/r/{token}/export"))
    assert case.number in shown
    for secret in ("王某", "三栋", str(x)):
        assert secret not in shown, secret


def test_the_first_reporter_still_reads_their_own_words_and_place(work: Casework) -> None:
    x, y = work.world.point_in("a")
    place = services.Place(x=x, y=y, system="cgcs2000", words="三栋门口")
    token = work.reported(words="垃圾没人收 13812345678", place=place).token
    shown = text_of(Client().get(f"/r/{token}/"))
    assert "垃圾没人收" in shown
    assert "三栋门口" in shown
    assert "13812345678" not in shown


def test_voices_past_the_limit_are_kept_but_hurry_nobody(work: Casework) -> None:
    case = work.dispatched()
    for _ in range(6):
        account = work.account(words="我也", is_suspect=True)
        services.me_too(work.fresh(case, "lin"), account=account, by=work.actor("zhou"), at=NOW)
    case.refresh_from_db()
    assert (case.voices, case.urges) == (1, 0)
    assert case.reports.count() == 7


def test_nobody_chooses_a_street_the_form_does_not_offer(work: Casework) -> None:
    there = str(work.world.communities["other"].pk)
    for street in ("999999", str(work.world.street.pk)):
        answer = Client().post("/report/", {"words": "x", "community": there, "street": street})
        assert answer.status_code == 303
    assert set(Case.objects.values_list("street_id", "community_id")) == {(work.world.other_street.pk, int(there))}
    assert Client().post("/report/", {"words": "x", "street": "999999"}).status_code == 422


# -- what is spent and what is kept ----------------------------------------------------------------------------------


def test_nobody_has_photos_decoded_past_the_limits(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    monkeypatch.setattr(pictures, "clean", lambda file: decoded.append(file))

    def past_all(**_asked: Any) -> bool:
        raise Throttled("throttled", "x", facts={"retry_after_seconds": 60})

    monkeypatch.setattr(services, "is_suspect", past_all)
    answer = Client().post("/report/", here(work) | {"words": "x", "photos": upload()})
    assert answer.status_code == 429
    assert not decoded
    assert not Case.objects.exists()


def test_the_database_holds_no_private_link_in_the_clear(work: Casework) -> None:
    browser = Client()
    data = here(work) | {"words": "x", "idempotency_key": "k" * 20}
    first, again = browser.post("/report/", data), browser.post("/report/", data)
    token = first["Location"].split("/")[2]
    assert again["Location"] == first["Location"]
    kept = str(list(IdempotencyKey.objects.values())) + str(list(Report.objects.values()))
    assert token not in kept
    assert browser.get(again["Location"]).status_code == 200


def test_asking_again_is_not_a_way_to_store_a_book(work: Casework) -> None:
    case = work.closed()
    token = services.renew_link(case.reports.select_related("street").get(), at=NOW)
    answer = Client().post(f"/r/{token}/reopen", {"text": "字" * 2001})
    assert answer.status_code == 422
    case.refresh_from_db()
    assert case.state == "closed"
