"""What the software must not do (DOMAIN §5, rules 1 to 7), looked for in the schema, in the words and on every page.

Rule 8 (meetings, documents, inspections) belongs to apps that are not built yet.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import FilingCondition
from jiequ.cases.services import types as type_services
from jiequ.channels.models import InboxItem
from jiequ.channels.services import Notice, send
from jiequ.core.models import District
from jiequ.core.worker import BATCH, work_once
from jiequ.people.models import Person
from jiequ.web import shell
from tests.access import table
from tests.access.scene import Scene, make_scene
from tests.actors import NOW, MovableClock, World
from tests.repo import messages

pytestmark = pytest.mark.sqlite  # thousands of requests through the same ORM: once is enough

ROOT = Path(__file__).resolve().parents[2]
OURS = [m for m in apps.get_models() if m.__module__.startswith("jiequ.")]
DENIALS = "不打卡、不积分、不排名"  # the page 关于与隐私 says what is not there


@pytest.fixture
def scene(world: World, clock: MovableClock) -> Scene:
    return make_scene(world)


def own_scripts() -> list[Path]:
    return [file for file in (ROOT / "jiequ").rglob("*.js") if "vendor" not in file.parts]


def columns() -> list[tuple[str, str]]:
    return [(model._meta.label, field.name) for model in OURS for field in model._meta.get_fields() if not field.is_relation]


# -- rule 2: no check-in, no points, no ranking, no online time -------------------------------------------------------

WATCHING_COLUMN = re.compile(
    r"check_?in|punch|clock_?in|sign_?in_count|\bpoints?\b|credit|bonus|ranking|\brank\b|leaderboard|streak|online|last_seen|last_login"
    r"|last_active|login_count|active_(seconds|minutes|days)|presence|heartbeat|install(ed|s)?_at|activity_rate"
)
WATCHING_WORD = re.compile("打卡|签到|积分|排名|排行|在线时长|活跃度|活跃率|安装率|日活|步数|轨迹")


def test_no_column_watches_a_person() -> None:
    watching = [column for column in columns() if WATCHING_COLUMN.search(column[1])]
    assert not watching, watching
    assert len(columns()) > 250


@pytest.mark.parametrize("name", ["checkin_at", "check_in_count", "points", "rank", "online_seconds", "last_login", "streak"])
def test_such_a_column_would_be_found(name: str) -> None:
    """The broken twin."""
    assert WATCHING_COLUMN.search(name)


def test_no_text_on_any_screen_asks_for_it() -> None:
    texts = {text.msgid: text.where for text in messages.texts()}
    assert len(texts) > 1000
    found = {msgid: where for msgid, where in texts.items() if WATCHING_WORD.search(msgid) and DENIALS not in msgid}
    assert not found, found


def test_django_keeps_no_last_sign_in_either() -> None:
    assert "last_login" not in {field.name for field in Person._meta.get_fields()}


# -- rule 4: a point is stored, a track never is ----------------------------------------------------------------------

PLACE = {"lon", "lat", "x", "y", "q18", "raw_x", "location", "geometry", "point"}
STANDS_STILL = {
    "grid.UnitGrid", "grid.MonitoringPoint", "grid.Place", "grid.MapFeature", "cases.ControlArea",
    "sense.Asset", "sense.Upload",  # a picture of the ground: where it lies, and the monitoring point it was taken over
    "sense.Comparison", "sense.Finding", "sense.Blind", "sense.Suspect", "sense.Permit",  # ground, and what stands on it
    "cases.Topic",  # a circle on the ground in which cases of one type lie; no case points to it
    "sense.Camera",  # a fixed camera of the street, where it hangs
    "sense.Verdict", "sense.Outline",  # the polygon of a suspect as its reader left it
}  # fmt: skip
OF_AN_EVENT = {"chat.Piece", "cases.Case", "cases.Report"}
"""Where a matter lies. A report keeps one point, the matter's, and is made once."""


def test_positions_are_of_things_and_matters_never_of_persons() -> None:
    placed = {m._meta.label for m in OURS if PLACE & {f.name for f in m._meta.get_fields()}}
    assert placed == STANDS_STILL | OF_AN_EVENT


def test_a_report_keeps_the_matters_point_and_nothing_moves_it() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in own_scripts())
    assert "getCurrentPosition" in source or "geolocation" in source
    assert "watchPosition" not in source, "a page follows its reader"


def test_no_page_sends_a_position_by_itself() -> None:
    """A position leaves the phone with a form the reader sends, or to ask where it lies; never by a timer or a beacon."""
    for file in own_scripts():
        text = file.read_text(encoding="utf-8")
        assert "sendBeacon" not in text, file
        if "geolocation" in text:
            assert "setInterval" not in text, file


# -- rule 4: photos only where the condition needs them ----------------------------------------------------------------


def needs_photo(condition: FilingCondition, phase: str) -> bool:
    return any(p["kind"] == "photo" and p["phase"] == phase for p in condition.required_proofs)


def test_a_photo_is_demanded_where_the_condition_needs_one_and_nowhere_else(scene: Scene) -> None:
    type_services.load_catalogue(by=scene.world.actor("xi"), at=NOW)
    conditions = list(FilingCondition.objects.all())
    without = [c for c in conditions if not needs_photo(c, "after")]
    assert without
    assert len(without) < len(conditions)
    case = scene.a.cases["handling"]
    for condition in conditions:
        case.condition = condition
        missing = services.missing_proofs(case, proofs=[])
        asked = any(one["kind"] == "photo" and one["phase"] == "after" for one in missing)
        assert asked == needs_photo(condition, "after"), condition.key


def test_no_photo_field_of_any_form_is_required_by_the_browser(scene: Scene) -> None:
    """The closing condition decides on the server; a form never refuses to be sent for want of a photo."""
    pages = [("zhou", "/report/"), ("chen", f"/cases/{scene.a.cases['checking'].number}/do/check_pass")]
    pages += [("huang", f"/cases/{scene.a.cases['handling'].number}/do/handle")]
    for who, address in pages:
        text = scene.world.client(who).get(address).content.decode()
        fields = re.findall(r"<input[^>]*type=\"file\"[^>]*>", text)
        assert fields, address
        assert not [field for field in fields if " required" in field], address


# -- rule 1: a fact is asked once -------------------------------------------------------------------------------------


def test_what_the_ledger_knows_is_not_asked_again(scene: Scene) -> None:
    """No form of a move asks for a reporter's name or phone, the place, or the reader's own name and department."""
    known = re.compile(r'name="(phone|name|reporter|contact|address|lon|lat|handler_name|my_name|my_department)"')
    asked = []
    for who in ("lin", "huang", "wu", "he", "liang", "chen"):
        client = scene.world.client(who)
        for case in scene.a.cases.values():
            text = client.get(f"/cases/{case.number}/").content.decode()
            asked += [(who, case.state, found.group(1)) for found in known.finditer(text)]
    assert not asked, asked


def test_a_resident_on_the_own_page_is_asked_for_no_phone_again(scene: Scene) -> None:
    for name in ("reported", "handling", "closed"):
        text = Client().get(f"/r/{scene.a.tokens[name]}/").content.decode()
        assert 'name="phone"' not in text
        assert 'type="tel"' not in text


def test_a_refused_report_keeps_what_was_filled_in(world: World, clock: MovableClock) -> None:
    answer = Client().post("/report/", {"name": "周女士", "phone": "123", "words": "河边有垃圾"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'value="123"' in text
    assert 'value="周女士"' in text
    assert "河边有垃圾" in text


# -- rule 3: nobody is made to install or to sign in ------------------------------------------------------------------


def test_entry_on_somebodys_behalf_always_works(scene: Scene) -> None:
    lon, lat = scene.world.point_in("a")
    form = {
        "source": "caller",
        "words": "来电反映路灯不亮",
        "phone": "13912340000",
        "lon": lon,
        "lat": lat,
        "system": "cgcs2000",
    }
    assert scene.world.client("lin").post("/report/", form).status_code == 303


def test_a_resident_reports_and_follows_without_an_account(world: World, clock: MovableClock) -> None:
    lon, lat = world.point_in("a")
    client = Client()
    made = client.post("/report/", {"words": "积水", "lon": lon, "lat": lat, "system": "cgcs2000"})
    assert made.status_code == 303
    assert client.get(made["Location"]).status_code == 200


# -- rule 5: quiet hours, no read receipts ----------------------------------------------------------------------------

SATURDAY_NIGHT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
MONDAY_MORNING = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # 08:00


def test_staff_hear_of_what_is_not_urgent_in_working_time_only(world: World) -> None:
    common: dict[str, Any] = {"template": "new_task", "facts": {"number": "LG-2026-000001"}, "to_person": world.huang.pk}
    notices = [Notice(**common, key="calm"), Notice(**common, key="urgent", is_urgent=True)]
    send(notices, at=SATURDAY_NIGHT)

    def put(at: datetime) -> set[str]:
        while work_once(at=at, limit=BATCH):
            pass
        return set(InboxItem.objects.filter(person=world.huang).values_list("message__key", flat=True))

    assert put(SATURDAY_NIGHT) == {"urgent"}
    assert put(MONDAY_MORNING - timedelta(seconds=1)) == {"urgent"}
    assert put(MONDAY_MORNING + timedelta(seconds=1)) == {"urgent", "calm"}


def test_whether_somebody_read_a_notice_changes_nothing_that_others_see(scene: Scene) -> None:
    """Every page of those above and beside, before and after the handlers read their notices: the same bytes."""
    watchers = ("lin", "he", "liang", "wu", "du", "xi", "an", "shen")
    addresses = [a for _name, a, _view in table.templates() if not table.parts(a)]
    addresses += [f"/cases/{c.number}/{tail}" for c in list(scene.a.cases.values())[2:5] for tail in ("", "messages")]
    addresses += [f"/people/{scene.world.huang.pk}"]

    clients = {who: scene.world.client(who) for who in watchers}

    def seen() -> dict[tuple[str, str], str]:
        found = {}
        for who, client in clients.items():
            for address in addresses:
                text = client.get(address).content.decode(errors="replace")
                found[who, address] = re.sub(
                    r'(csrfmiddlewaretoken|idempotency_key|ticket)" value="[^"]*"|incident \w+', "", text
                )
        return found

    before = seen()
    readers = [scene.world.huang.pk, scene.world.zhao.pk, scene.world.chen.pk]
    assert InboxItem.objects.filter(person_id__in=readers).update(read_at=NOW) >= 3
    after = seen()
    changing = {"/healthz", "/metrics", "/me/second-factor", "/audit/"}  # figures; a fresh secret; lists its own being read
    differing = [key for key, text in before.items() if after[key] != text and key[1] not in changing]
    assert not differing, differing
    mine = scene.world.client("huang").get("/inbox/").content.decode()
    InboxItem.objects.filter(person_id=scene.world.huang.pk).update(read_at=None)
    assert scene.world.client("huang").get("/inbox/").content.decode() != mine, "nothing would have been noticed"


# -- rule 6: figures about a person are that person's own -------------------------------------------------------------


def test_no_query_counts_cases_by_person() -> None:
    """The indicators of this release are by department, area and type; no code groups by a person."""
    grouped = re.compile(r"values\(\s*\"(person|handler|opened_by|by_id|worker|taken_by)[^)]*\)\s*\.annotate\(")
    found = [f for f in (ROOT / "jiequ").rglob("*.py") if grouped.search(f.read_text(encoding="utf-8"))]
    assert not found, found
    assert grouped.search('Case.objects.values("handler").annotate(n=Count("id"))')


# -- rule 7: the suggestion entry and the sponsor on every page --------------------------------------------------------

WITHOUT_A_FRAME = {"web:style": "the workshop's page of samples", "web:demo": "demonstration only"}


def test_every_page_of_every_role_has_the_suggestion_entry_and_names_the_sponsor(scene: Scene) -> None:
    District.objects.update(sponsor_unit="榕江区政务服务局", filing_number="粤备〔2026〕0001号")
    shell.forget()
    seen, lacking = 0, []
    ids = table.CONSTANTS | scene.a.ids
    for who in [*scene.clients(), "du", "qu", "xi", "an", "shen"]:
        client = scene.world.client(who)
        for name, address, _view in table.templates():
            answer = client.get(table.filled(address, ids))
            is_page = answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code == 200
            text = answer.content.decode(errors="replace")
            if not is_page or "<html" not in text or name in WITHOUT_A_FRAME:
                continue
            seen += 1
            if 'href="/feedback?page=' not in text or "榕江区政务服务局" not in text or "粤备〔2026〕0001号" not in text:
                lacking.append((who, name))
    shell.forget()
    assert not lacking, lacking
    assert seen > 200


def test_a_page_names_the_sponsoring_unit_and_its_filing_number(world: World) -> None:
    District.objects.update(sponsor_unit="榕江区政务服务局", filing_number="粤备〔2026〕0001号")
    shell.forget()
    text = Client().get("/about").content.decode()
    shell.forget()
    for needed in ("主办单位", "榕江区政务服务局", "备案号", "粤备〔2026〕0001号"):
        assert needed in text


def test_a_suggestion_is_taken_without_a_name(world: World, clock: MovableClock) -> None:
    fields = {f.name for f in apps.get_model("web", "Suggestion")._meta.get_fields()}
    assert not {"person", "made_by", "phone", "name"} & fields
    assert isinstance(apps.get_model("web", "Suggestion"), type(models.Model))
