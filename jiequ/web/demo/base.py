"""What the first page of the demonstration needs: map, types, calendar, departments, people. A few seconds."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.hashers import make_password

from jiequ.cases import catalogue
from jiequ.cases.offers import committee_key
from jiequ.cases.services.types import load_catalogue
from jiequ.core import calendar
from jiequ.core.db import writing
from jiequ.core.models import District, Street
from jiequ.doors.open311.services.opening import open_street
from jiequ.grid import demo as geography
from jiequ.grid.demo.store import store
from jiequ.grid.models import Community, ResponsibilityGrid
from jiequ.grid.queries import locate
from jiequ.grid.services.common import changed
from jiequ.people.models import Department, Person, Post
from jiequ.people.rules import ADMIN_ROLES, Actor, DepartmentKind, Role, account_of

from . import roster

SEED = 20260723


def seed_base(at: datetime) -> Street:
    """The district with its streets; returns the main one. Does nothing where it is there already."""
    known = Street.objects.order_by("code9").first()
    if known is not None:
        return known
    system = Actor.system()
    drawn = geography.build(SEED)
    streets = store(drawn, system, at)
    main = streets[drawn.streets[0].code9]
    with writing():
        District.objects.update(
            sponsor_unit=f"{main.name_zh}办事处（演示）",
            filing_number="演示备案 2026-001",
            settings={"story_spot": list(drawn.story_spot), "began_at": at.isoformat()},
        )
        calendar.fill(at=at)
        load_catalogue(by=system, at=at)
        open_street(street_id=main.pk, contact="指挥中心（演示）", by=system, at=at)
        departments = _departments(list(streets.values()))
        _people(main, departments, at)
        for street in list(streets.values())[1:]:
            _neighbours(street, departments, at)
        _workers_of_grids(main, drawn.story_spot, at)
    return main


def _departments(streets: list[Street]) -> dict[tuple[int | None, str], Department]:
    """Every street has the catalogue's offices and a committee a community; the bureaus are the district's."""
    rows = []
    for entry in catalogue.departments():
        if entry["kind"] == DepartmentKind.BUREAU:
            rows.append(_department(entry["key"], entry["name_zh"], entry["name_en"], entry["kind"], None))
        elif entry["kind"] != DepartmentKind.COMMUNITY:
            key, name_zh, name_en, kind = entry["key"], entry["name_zh"], entry["name_en"], entry["kind"]
            rows += [_department(key, name_zh, name_en, kind, street) for street in streets]
    for street in streets:
        for community in Community.objects.filter(street=street).order_by("code12"):
            names = (f"{community.name_zh}居委会", f"{community.name_en} committee")
            rows.append(_department(committee_key(community), *names, DepartmentKind.COMMUNITY, street))
    return {(row.street_id, row.key): row for row in Department.objects.bulk_create(rows)}


def _department(key: str, name_zh: str, name_en: str, kind: str, street: Street | None) -> Department:
    return Department(key=key, name_zh=name_zh, name_en=name_en, kind=str(kind), street=street)


def _people(street: Street, departments: dict[tuple[int | None, str], Department], at: datetime) -> None:
    communities = [committee_key(c) for c in Community.objects.filter(street=street).order_by("code12")]
    grids = ResponsibilityGrid.objects.filter(street=street).count()
    found = list(roster.workers(communities, grids, SEED))
    _store(found, street, departments, at)
    for role in sorted(ADMIN_ROLES):
        admin = {"system_admin": "系统管理员", "security_admin": "安全管理员", "audit_admin": "审计管理员"}[role]
        phone = f"1390000000{sorted(ADMIN_ROLES).index(role)}"
        person = _person(role.value, admin, None, at, phone=phone, role=role)
        person.save()
        Post.objects.create(person=person, account=person.account, role=role.value, starts_on=at.date())


def _neighbours(street: Street, departments: dict[tuple[int | None, str], Department], at: datetime) -> None:
    """A desk and a sanitation station for each neighbouring street, so that borders can be seen to hold."""
    prefix = street.prefix.lower()
    workers = [
        roster.Worker(f"{prefix}.desk", f"{street.name_zh[0]}受理", ((Role.ACCEPTOR, ""), (Role.DISPATCHER, ""))),
        roster.Worker(f"{prefix}.lead", f"{street.name_zh[0]}环卫", ((Role.DEPARTMENT_LEAD, "hw"), (Role.HANDLER, "hw"))),
        roster.Worker(f"{prefix}.leader", f"{street.name_zh[0]}主任", ((Role.LEADER, ""), (Role.DUTY_LEADER, ""))),
    ]
    _store(workers, street, departments, at)


def _store(
    workers: list[roster.Worker], street: Street, departments: dict[tuple[int | None, str], Department], at: datetime
) -> None:
    people = [_person(w.username, w.name, None if w.is_district else street, at, role=w.posts[0][0]) for w in workers]
    stored = Person.objects.bulk_create(people)
    Post.objects.bulk_create(
        Post(
            person=person,
            account=person.account,
            role=role.value,
            street=None if worker.is_district else street,
            department=departments[(None if worker.is_district else street.pk, key)] if key else None,
            starts_on=at.date().replace(day=1, month=1),
        )
        for worker, person in zip(workers, stored, strict=True)
        for role, key in worker.posts
    )


def _person(username: str, name: str, street: Street | None, at: datetime, *, phone: str = "", role: Role) -> Person:
    return Person(
        username=username,
        name=name,
        phone=phone,
        account=account_of(role).value,
        street=street,
        password=make_password(None),
        created_at=at,
    )


def _workers_of_grids(street: Street, story_spot: tuple[float, float], at: datetime) -> None:
    """One grid worker a responsibility grid; 陈勇, the first of them, has the one of the story."""
    workers = list(Person.objects.filter(posts__role=Role.GRID_WORKER.value, street=street).order_by("pk"))
    spot = locate(*story_spot)
    mine = spot.responsibility_grid_id if spot else None
    grids = sorted(ResponsibilityGrid.objects.filter(street=street), key=lambda grid: (grid.pk != mine, grid.pk))
    for grid, worker in zip(grids, workers, strict=False):
        grid.worker = worker
    ResponsibilityGrid.objects.bulk_update(grids, ["worker"])
    changed(street.pk, at)
