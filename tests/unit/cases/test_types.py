"""Event types: the starter catalogue, editions that never rewrite the past, duty lists, control areas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jiequ.cases import catalogue
from jiequ.cases import type_rules as rules
from jiequ.cases.models import ControlArea, DutyList, EventType, FilingCondition, TypeEdition
from jiequ.cases.queries import types as queries
from jiequ.cases.services import areas, types
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.models import AuditEntry
from jiequ.core.worktime import Limit, Unit
from jiequ.people.rules import Actor
from tests.actors import LAT, LON, NOW, STEP, World

PHOTOS = (
    rules.ProofNeed(rules.ProofKind.PHOTO, rules.ProofPhase.BEFORE),
    rules.ProofNeed(rules.ProofKind.PHOTO, rules.ProofPhase.AFTER),
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def loaded(world: World) -> World:
    types.load_catalogue(by=world.actor("xi"), at=NOW)
    return world


def a_draft(**changes: Any) -> rules.TypeDraft:
    condition = rules.ConditionDraft(
        key="missing", name_zh="缺失", limit=Limit(Decimal(2), Unit.URGENT_HOUR), closing_zh="恢复", proofs=PHOTOS
    )
    draft = rules.TypeDraft(
        name_zh="护栏", major_code="11", major_zh="部件问题", lead_department_key="cg", conditions=(condition,)
    )
    return replace(draft, **changes)


def type_of(code: str, kind: str = "event") -> EventType:
    return EventType.objects.get(kind=kind, code=code)


# --- the starter catalogue ---------------------------------------------------------------------------------------
def test_a_manhole_cover_has_a_limit_and_a_unit_for_each_way_it_is_found(loaded: World) -> None:
    conditions = queries.editions_of(type_of("1101", "component").pk)[0].conditions.all()
    found = {c.key: (int(c.limit_value), c.limit_unit) for c in conditions}
    assert found["missing"] == (2, "urgent_hour")
    assert found["broken"] == (4, "work_hour")
    assert found["rattling"] == (2, "work_day")


def test_the_catalogue_holds_the_reference_types_and_at_least_fifteen_more_with_several_conditions(
    loaded: World, shared: Path
) -> None:
    with (shared / "data" / "event_types.csv").open(encoding="utf-8") as file:
        reference = {row["code"]: row for row in csv.DictReader(file)}
    listed = {edition.event_type.code: edition for edition in queries.listed_types()}
    assert reference.keys() == listed.keys()
    several = [code for code, edition in listed.items() if len(edition.conditions.all()) > 1]
    assert len(several) >= 16
    for code, row in reference.items():
        assert listed[code].lead_department_key == row["default_dept_key"]
        limits = [(c.limit_value, c.limit_unit) for c in listed[code].conditions.all()]
        assert (Decimal(row["limit_value"]), row["limit_unit"]) in limits, code


def test_the_catalogue_is_whole() -> None:
    keys = {row["key"] for row in catalogue.departments()}
    for entry in catalogue.entries():
        assert rules.problems(entry.draft) == [], entry.code
        assert {entry.draft.lead_department_key, *entry.draft.assist_department_keys} <= keys
        for condition in entry.draft.conditions:
            assert condition.name_en, entry.code
            assert condition.closing_en, entry.code
            assert condition.source, entry.code


def test_a_limit_of_a_lawful_procedure_covers_only_the_next_step_and_legacy_shows_no_light(loaded: World) -> None:
    rows = FilingCondition.objects.select_related("edition__event_type")
    next_step = {row.edition.event_type.code for row in rows if row.covers == "next_step"}
    assert next_step == {f"910{n}" for n in range(2, 9)}
    assert {r.edition.event_type.code for r in rows if r.starts == "release"} == {"9104"}
    assert {r.edition.event_type.code for r in rows if not r.has_light} == {"9103"}
    assert {r.edition.event_type.code for r in rows if r.limit_from_zh} == {"9501", "9502", "9503"}
    assert not [r for r in rows if r.covers == "next_step" and r.closing_condition_zh.startswith("拆除")]


def test_loading_the_catalogue_again_adds_nothing_and_keeps_what_an_administrator_changed(loaded: World) -> None:
    by = loaded.actor("xi")
    kept = type_of("0110")
    types.edit_type(event_type_id=kept.pk, edition=1, draft=a_draft(), by=by, at=NOW)
    EventType.objects.filter(code="0201").update(is_active=False)
    before = (EventType.objects.count(), TypeEdition.objects.count(), FilingCondition.objects.count())
    assert types.load_catalogue(by=by, at=NOW) == 0
    assert (EventType.objects.count(), TypeEdition.objects.count(), FilingCondition.objects.count()) == before
    assert types.current_edition(kept.pk).name_zh == "护栏"


def test_an_event_and_a_component_may_share_a_code(loaded: World) -> None:
    types.create_type(kind="component", code="0110", draft=a_draft(), by=loaded.actor("xi"), at=NOW)
    assert EventType.objects.filter(code="0110").count() == 2
    with pytest.raises(Refusal, match="已经有了"):
        types.create_type(kind="component", code="0110", draft=a_draft(), by=loaded.actor("xi"), at=NOW)


# --- editions -----------------------------------------------------------------------------------------------------
def test_editing_a_type_makes_a_new_edition_and_leaves_the_old_conditions_untouched(loaded: World) -> None:
    event_type = type_of("0110")
    old = FilingCondition.objects.get(edition__event_type=event_type)
    before = FilingCondition.objects.filter(pk=old.pk).values().get()
    draft = types.draft_of(types.current_edition(event_type.pk))
    slower = replace(draft, conditions=(replace(draft.conditions[0], limit=Limit(Decimal(8), Unit.WORK_HOUR)),))
    made = types.edit_type(event_type_id=event_type.pk, edition=1, draft=slower, by=loaded.actor("xi"), at=NOW)
    assert made.number == 2
    assert FilingCondition.objects.filter(pk=old.pk).values().get() == before
    assert [e.number for e in queries.editions_of(event_type.pk)] == [2, 1]
    assert queries.type_choice(event_type.pk).conditions[0].limit == "8工作时"
    assert AuditEntry.objects.get(action="type.edited").facts == {"edition": 2}


def test_two_administrators_cannot_make_the_same_edition(loaded: World) -> None:
    event_type = type_of("0110")
    types.edit_type(event_type_id=event_type.pk, edition=1, draft=a_draft(), by=loaded.actor("xi"), at=NOW)
    with pytest.raises(Stale):
        types.edit_type(event_type_id=event_type.pk, edition=1, draft=a_draft(name_zh="栏杆"), by=loaded.actor("xi"), at=NOW)
    assert TypeEdition.objects.filter(event_type=event_type).count() == 2


def test_saving_without_a_change_makes_no_edition(loaded: World) -> None:
    event_type = type_of("1101", "component")
    same = types.draft_of(types.current_edition(event_type.pk))
    with pytest.raises(Refusal, match="没有改动"):
        types.edit_type(event_type_id=event_type.pk, edition=1, draft=same, by=loaded.actor("xi"), at=NOW)


def test_a_type_out_of_use_is_not_offered_and_can_come_back(loaded: World) -> None:
    event_type = type_of("0110")
    types.deactivate_type(event_type_id=event_type.pk, by=loaded.actor("xi"), at=NOW)
    queries.forget()
    assert queries.type_choice(event_type.pk) is None
    with pytest.raises(Refusal):
        types.deactivate_type(event_type_id=event_type.pk, by=loaded.actor("xi"), at=NOW)
    types.activate_type(event_type_id=event_type.pk, by=loaded.actor("xi"), at=NOW)
    queries.forget()
    assert queries.type_choice(event_type.pk) is not None


BAD = {
    "no name": ({"name_zh": " "}, "名称"),
    "no condition": ({"conditions": ()}, "至少一条"),
    "lead assists": ({"assist_department_keys": ("cg",)}, "不能同时"),
    "priority": ({"priority": 9}, "0到3"),
}
BAD_CONDITIONS = {
    "zero": ({"limit": Limit(0, Unit.WORK_HOUR)}, "大于0"),
    "minutes": ({"limit": Limit(5, Unit.WORK_MINUTE)}, "时限单位"),
    "no proof": ({"proofs": ()}, "至少要一种证明"),
    "odd proof": ({"proofs": (rules.ProofNeed(rules.ProofKind.NOTE, rules.ProofPhase.BEFORE),)}, "种类"),
    "ten photos": ({"proofs": (replace(PHOTOS[0], at_least=10),)}, "1到9"),
    "no closing": ({"closing_zh": ""}, "结案条件"),
}


@pytest.mark.parametrize("name", [*BAD, *BAD_CONDITIONS])
def test_a_draft_with_a_fault_is_refused_in_a_sentence_and_nothing_is_stored(loaded: World, name: str) -> None:
    changes, words = BAD.get(name) or BAD_CONDITIONS[name]
    draft = a_draft()
    faulty = replace(draft, **changes) if name in BAD else replace(draft, conditions=(replace(draft.conditions[0], **changes),))
    before = TypeEdition.objects.count()
    with pytest.raises(Refusal, match=words):
        types.create_type(kind="event", code="0999", draft=faulty, by=loaded.actor("xi"), at=NOW)
    assert TypeEdition.objects.count() == before


def test_two_conditions_cannot_share_a_key(loaded: World) -> None:
    draft = a_draft()
    with pytest.raises(Refusal, match="第2条立案条件"):
        types.create_type(
            kind="event", code="0999", draft=replace(draft, conditions=draft.conditions * 2), by=loaded.actor("xi"), at=NOW
        )


def test_nobody_but_the_system_administrator_changes_types(loaded: World) -> None:
    for name, actor in loaded.actors().items():
        if name == "xi":
            continue
        with pytest.raises(Forbidden):
            types.create_type(kind="event", code="0999", draft=a_draft(), by=actor, at=NOW)
        with pytest.raises(Forbidden):
            types.deactivate_type(event_type_id=type_of("0110").pk, by=actor, at=NOW)
        with pytest.raises(Forbidden):
            types.load_catalogue(by=actor, at=NOW)


def test_the_system_may_load_the_catalogue_when_it_is_set_up(world: World) -> None:
    assert types.load_catalogue(by=Actor.system(), at=NOW) == 73


# --- picking --------------------------------------------------------------------------------------------------------
def test_the_picker_shows_the_last_five_used_that_are_still_in_force(loaded: World) -> None:
    used = [type_of(code).pk for code in ("0110", "0111", "0112", "0113", "0114", "0117")]
    types.deactivate_type(event_type_id=used[0], by=loaded.actor("xi"), at=NOW)
    queries.forget()
    picker = queries.type_picker(loaded.street.pk, loaded.lin.pk, recent=[used[0], used[1], used[1], *used[2:]])
    assert [choice.id for choice in picker.recent] == used[1:]
    assert sum(len(major.types) for major in picker.majors) == 71


def test_the_picker_speaks_both_languages(loaded: World) -> None:
    chinese, english = queries.current_types("zh-hans"), queries.current_types("en")
    manhole = [c for m in chinese for t in m.types if t.code == "1101" for c in t.conditions]
    cover = [c for m in english for t in m.types if t.code == "1101" for c in t.conditions]
    assert [c.limit for c in manhole] == ["2紧急工作时", "4工作时", "2工作日", "5工作日"]
    assert cover[0].name == "Cover missing or shifted"
    assert manhole[0].proofs == ("处置前照片", "处置后照片")


def test_picking_costs_no_statement_when_the_types_were_looked_at_lately(loaded: World) -> None:
    queries.current_types()
    with CaptureQueriesContext(connection) as lately:
        queries.current_types()
    assert len(lately) == 0


# --- duty lists ------------------------------------------------------------------------------------------------------
def duty(world: World, **holder: int) -> DutyList:
    return areas.set_duty_list(
        street_id=world.street.pk, clause="职责清单第三条", codes=[("event", "0110")], by=world.actor("xi"), at=NOW, **holder
    )


def test_a_department_with_a_duty_list_is_sent_nothing_outside_it(loaded: World) -> None:
    duty(loaded, department_id=loaded.sanitation.pk)
    inside, outside = type_of("0110").pk, type_of("9201").pk
    assert queries.duty_refusal(loaded.sanitation.pk, None, inside) is None
    assert queries.duty_refusal(loaded.sanitation.pk, None, outside) == "职责清单第三条"
    assert queries.duty_refusal(loaded.water.pk, None, outside) is None, "no list, no refusal"


def test_a_communitys_list_binds_its_committee_and_nobody_else(loaded: World) -> None:
    east = loaded.communities["east"].pk
    duty(loaded, community_id=east)
    outside = type_of("9201").pk
    assert queries.duty_refusal(loaded.east_community.pk, east, outside) == "职责清单第三条"
    assert queries.duty_refusal(loaded.water.pk, east, outside) is None
    with CaptureQueriesContext(connection) as asked:
        ids = [loaded.water.pk, loaded.east_community.pk]
        found = queries.duty_refusals(department_ids=ids, community_id=east, event_type_id=outside)
    assert [(refusal.holder, refusal.clause) for refusal in found] == [("东涌社区", "职责清单第三条")]
    assert len(asked) == 1


def test_a_duty_list_changes_by_version_and_can_be_removed(loaded: World) -> None:
    row = duty(loaded, department_id=loaded.sanitation.pk)
    changed = areas.set_duty_list(
        street_id=loaded.street.pk, clause="第四条", codes=[("event", "9201")], by=loaded.actor("xi"), at=NOW,
        department_id=loaded.sanitation.pk, version=1,
    )  # fmt: skip
    assert (changed.pk, changed.version) == (row.pk, 2)
    with pytest.raises(Stale):
        duty(loaded, department_id=loaded.sanitation.pk)
    with pytest.raises(Stale):
        areas.remove_duty_list(duty_list_id=row.pk, version=1, by=loaded.actor("xi"), at=NOW)
    areas.remove_duty_list(duty_list_id=row.pk, version=2, by=loaded.actor("xi"), at=NOW)
    assert queries.duty_refusal(loaded.sanitation.pk, None, type_of("0110").pk) is None


def test_a_duty_list_needs_a_clause_known_codes_and_a_holder_of_its_street(loaded: World) -> None:
    common = {"street_id": loaded.street.pk, "by": loaded.actor("xi"), "at": NOW}
    holder = {"department_id": loaded.sanitation.pk}
    with pytest.raises(Refusal, match="条款"):
        areas.set_duty_list(clause=" ", codes=[], **holder, **common)
    with pytest.raises(Refusal, match="7777"):
        areas.set_duty_list(clause="第三条", codes=[("event", "7777")], **holder, **common)
    with pytest.raises(NotFound):
        areas.set_duty_list(clause="第三条", codes=[], department_id=loaded.other_sanitation.pk, **common)
    with pytest.raises(Refusal):
        areas.set_duty_list(clause="第三条", codes=[], **common)
    assert DutyList.objects.count() == 0


# --- control areas -------------------------------------------------------------------------------------------------
def square() -> dict[str, Any]:
    ring = [[LON, LAT], [LON + STEP, LAT], [LON + STEP, LAT + STEP], [LON, LAT + STEP], [LON, LAT]]
    return {"type": "Polygon", "coordinates": [ring]}


def area(world: World, **changes: Any) -> ControlArea:
    draft = areas.AreaDraft(
        name="东涌路改造",
        notice_zh="施工至月底，请绕行",
        starts_at=NOW,
        ends_at=NOW + timedelta(days=10),
        geometry=square(),
        codes=(("event", "0113"),),
    )
    return areas.set_control_area(street_id=world.street.pk, draft=replace(draft, **changes), by=world.actor("xi"), at=NOW)


def test_a_control_area_answers_for_its_place_its_types_and_its_time(loaded: World) -> None:
    area(loaded)
    inside, damaged, waste = loaded.point_in("a"), type_of("0113").pk, type_of("0110").pk
    found = queries.control_notice(*inside, damaged, NOW)
    assert found is not None
    assert found.notice == "施工至月底，请绕行"
    assert queries.control_notice(*inside, waste, NOW) is None
    assert queries.control_notice(*inside, None, NOW) is None
    assert queries.control_notice(*loaded.point_in("b"), damaged, NOW) is None
    assert queries.control_notice(*inside, damaged, NOW - timedelta(seconds=1)) is None
    assert queries.control_notice(*inside, damaged, NOW + timedelta(days=10)) is None


def test_a_control_area_without_types_is_for_all_and_may_be_a_community(loaded: World) -> None:
    east = loaded.communities["east"].pk
    area(loaded, geometry=None, community_id=east, codes=())
    assert queries.control_notice(None, None, None, NOW, community_id=east) is not None
    assert queries.control_notice(None, None, type_of("0110").pk, NOW, community_id=east) is not None
    assert queries.control_notice(*loaded.point_in("a"), None, NOW) is not None, "the point lies in the community"
    assert queries.control_notice(*loaded.point_in("c"), None, NOW) is None
    assert queries.control_notice(None, None, None, NOW) is None


def test_an_area_ended_early_asks_nothing_more_and_stays_as_a_record(loaded: World) -> None:
    row = area(loaded)
    later = NOW + timedelta(hours=1)
    areas.end_control_area(area_id=row.pk, version=1, by=loaded.actor("xi"), at=later)
    assert queries.control_notice(*loaded.point_in("a"), type_of("0113").pk, later) is None
    assert ControlArea.objects.get().name == "东涌路改造"
    with pytest.raises(Stale):
        areas.end_control_area(area_id=row.pk, version=1, by=loaded.actor("xi"), at=later)


BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[LON, LAT], [LON + STEP, LAT + STEP], [LON + STEP, LAT], [LON, LAT + STEP], [LON, LAT]]],
}


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [LON, LAT]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[LON, LAT], [LON + STEP, LAT]]]},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
        {"type": "Polygon", "coordinates": [[[LON, LAT], [LON + 9, LAT], [LON, LAT + 9], [LON, LAT]]]},
        BOW_TIE,
        {"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]]},
        {},
    ],
)  # fmt: skip
def test_what_is_no_polygon_of_a_street_is_refused(loaded: World, geometry: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        area(loaded, geometry=geometry)
    assert ControlArea.objects.count() == 0


def test_an_area_needs_words_a_place_and_a_time_that_runs_forward(loaded: World) -> None:
    for changes in ({"notice_zh": ""}, {"geometry": None}, {"ends_at": NOW}, {"community_id": loaded.communities["east"].pk}):
        with pytest.raises(Refusal):
            area(loaded, **changes)
