"""The named actors and their small world: two streets of one invented district. Cheap: about twenty statements.

林 lin    acceptor and dispatcher        周 zhou   resident (no account)
陈 chen   grid worker of grid ``a``      督 du     supervisor of the district
刘 liu    grid worker of grid ``b``      外 wai    acceptor and dispatcher of the other street
黄 huang  handler of the sanitation unit  区 qu     the traffic bureau of the district
吴 wu     its lead                        系 xi     system administrator
赵 zhao   handler of the water office     安 an     security administrator
钱 qian   its lead                        审 shen   audit administrator
何 he     leader    梁 liang  duty leader    丁 ding  enforcement officer
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.test import Client

from jiequ.core import clock as core_clock
from jiequ.core.models import District, Street
from jiequ.grid.models import Community, GridMember, MapVersion, ResponsibilityGrid, UnitGrid
from jiequ.people import entry, rules, sessions
from jiequ.people.access import actor_for
from jiequ.people.models import Department, Person, Post
from jiequ.people.rules import Actor, DepartmentKind, Role

PASSWORD = "green-river-58"
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests sign in by the hundred
BEGAN = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
SINCE = date(2026, 1, 5)
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in Shanghai, a workday
LON, LAT = 113.5000, 23.1800  # the south-west corner of grid a; each grid is STEP wide and high
STEP = 0.001


@lru_cache
def hashed_password() -> str:
    """The hash of PASSWORD, made once a process."""
    return make_password(PASSWORD)


@dataclass
class World:
    """Everything by name: ``world.lin``, ``world.sanitation``, ``world.grid_a``; ``world["林"]`` works too."""

    district: District
    street: Street
    other_street: Street
    departments: dict[str, Department] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    grids: dict[str, UnitGrid] = field(default_factory=dict)
    responsibility_grids: dict[str, ResponsibilityGrid] = field(default_factory=dict)
    communities: dict[str, Community] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        for group in ("people", "departments"):
            if name in self.__dict__.get(group, {}):
                return self.__dict__[group][name]
        for prefix, group in (("grid_", "grids"), ("responsibility_", "responsibility_grids")):
            if name.startswith(prefix):
                return self.__dict__[group][name.removeprefix(prefix)]
        raise AttributeError(name)

    def __getitem__(self, chinese: str) -> Person:
        return next(person for person in self.people.values() if person.name[0] == chinese)

    def actor(self, name: str, at: datetime = NOW) -> Actor:
        """The actor called so: ``world.actor("lin")``; ``"zhou"`` is a resident without a link."""
        return Actor.resident(None) if name == "zhou" else actor_for(self.people[name], at=at)

    def actors(self, at: datetime = NOW) -> dict[str, Actor]:
        """All of them, the resident too."""
        return {name: self.actor(name, at) for name in [*self.people, "zhou"]}

    def client(self, name: str) -> Client:
        """A browser in which that person is signed in (``"zhou"``: in which nobody is)."""
        return Client() if name == "zhou" else client_of(self.people[name])

    def point_in(self, grid: str) -> tuple[float, float]:
        """The middle of a unit grid: longitude, latitude."""
        return self.grids[grid].lon, self.grids[grid].lat


DEPARTMENTS = {
    # name: key, Chinese, English, kind, where
    "sanitation": ("hw", "环卫站（所）", "Sanitation station", DepartmentKind.CONTRACTOR, "street"),
    "water": ("sw", "水务（河长制）办公室", "Water office", DepartmentKind.OFFICE, "street"),
    "enforcement": ("zf", "综合行政执法办公室", "Enforcement office", DepartmentKind.OFFICE, "street"),
    "centre": ("zhzx", "街道综合指挥中心", "Command centre", DepartmentKind.OFFICE, "street"),
    "east_community": ("sq-dongyong", "东涌社区居委会", "Dongyong community", DepartmentKind.COMMUNITY, "street"),
    "other_sanitation": ("hw", "青岗环卫站", "Qinggang sanitation station", DepartmentKind.CONTRACTOR, "other_street"),
    "traffic": ("jt", "区交通局", "Traffic bureau", DepartmentKind.BUREAU, None),
}
PEOPLE = {
    # name: Chinese, phone, home street, posts as (role, street, department)
    "lin": ("林晓", "13800000001", "street", [(Role.ACCEPTOR, "street", None), (Role.DISPATCHER, "street", None)]),
    "chen": ("陈勇", "13800000002", "street", [(Role.GRID_WORKER, "street", None)]),
    "liu": ("刘洋", "13800000003", "street", [(Role.GRID_WORKER, "street", None)]),
    "huang": ("黄海", "13800000004", "street", [(Role.HANDLER, "street", "sanitation")]),
    "wu": ("吴敏", "13800000005", "street", [(Role.DEPARTMENT_LEAD, "street", "sanitation")]),
    "zhao": ("赵云", "13800000006", "street", [(Role.HANDLER, "street", "water")]),
    "qian": ("钱江", "13800000007", "street", [(Role.DEPARTMENT_LEAD, "street", "water")]),
    "ding": ("丁山", "13800000008", "street", [(Role.OFFICER, "street", "enforcement")]),
    "he": ("何平", "13800000009", "street", [(Role.LEADER, "street", None)]),
    "liang": ("梁宽", "13800000010", "street", [(Role.DUTY_LEADER, "street", None)]),
    "du": ("督察", "13800000011", None, [(Role.SUPERVISOR, None, None)]),
    "qu": ("区明", "13800000012", None, [(Role.BUREAU, None, "traffic")]),
    "wai": (
        "外丽",
        "13800000013",
        "other_street",
        [(Role.ACCEPTOR, "other_street", None), (Role.DISPATCHER, "other_street", None)],
    ),
    "wai_handler": ("安外", "13800000014", "other_street", [(Role.HANDLER, "other_street", "other_sanitation")]),
    "xi": ("系统", "13800000021", None, [(Role.SYSTEM_ADMIN, None, None)]),
    "an": ("安全", "13800000022", None, [(Role.SECURITY_ADMIN, None, None)]),
    "shen": ("审计", "13800000023", None, [(Role.AUDIT_ADMIN, None, None)]),
}
GRIDS = {
    # name: code, column, community, worker: a and b are neighbours in the street, c lies beyond in the other street
    "a": ("990101001001001", 0, "east", "chen"),
    "b": ("990101001001002", 1, "east", "liu"),
    "c": ("990101002001001", 2, "other", None),
}


def make_world() -> World:
    """Two streets, seven departments, seventeen persons with their posts, three unit grids."""
    district = District.objects.create(name_zh="榕江区", name_en="Rongjiang District", code6="990101")
    street, other = Street.objects.bulk_create(
        [
            Street(code9="990101001", prefix="LG", name_zh="龙涧街道", name_en="Longjian Street"),
            Street(code9="990101002", prefix="QG", name_zh="青岗街道", name_en="Qinggang Street"),
        ]
    )
    world = World(district, street, other)
    _add_departments(world)
    _add_people(world)
    _add_grids(world)
    return world


def _add_departments(world: World) -> None:
    rows = [
        Department(key=key, name_zh=name_zh, name_en=name_en, kind=kind.value, street=getattr(world, where) if where else None)
        for key, name_zh, name_en, kind, where in DEPARTMENTS.values()
    ]
    world.departments = dict(zip(DEPARTMENTS, Department.objects.bulk_create(rows), strict=True))


def _add_people(world: World) -> None:
    rows = [
        Person(
            username=name,
            name=chinese,
            phone=phone,
            street=getattr(world, home) if home else None,
            account=rules.account_of(posts[0][0]).value,
            password=hashed_password(),
            created_at=BEGAN,
        )
        for name, (chinese, phone, home, posts) in PEOPLE.items()
    ]
    world.people = dict(zip(PEOPLE, Person.objects.bulk_create(rows), strict=True))
    Post.objects.bulk_create(
        Post(
            person=world.people[name],
            account=world.people[name].account,
            role=role.value,
            street=getattr(world, where) if where else None,
            department=world.departments[department] if department else None,
            starts_on=SINCE,
        )
        for name, (_, _, _, posts) in PEOPLE.items()
        for role, where, department in posts
    )


def _add_grids(world: World) -> None:
    east, beyond = Community.objects.bulk_create(
        [
            Community(street=world.street, code12="990101001001", name_zh="东涌社区", name_en="Dongyong"),
            Community(street=world.other_street, code12="990101002001", name_zh="北岭社区", name_en="Beiling"),
        ]
    )
    world.communities = {"east": east, "other": beyond}
    rows = [
        UnitGrid(
            code15=code,
            street_id=world.communities[community].street_id,
            community=world.communities[community],
            geometry=_square(column),
            lon=LON + (column + 0.5) * STEP,
            lat=LAT + 0.5 * STEP,
            area_m2=11_300.0,
        )
        for code, column, community, _ in GRIDS.values()
    ]
    world.grids = dict(zip(GRIDS, UnitGrid.objects.bulk_create(rows), strict=True))
    workers = {name: worker for name, (_, _, _, worker) in GRIDS.items() if worker}
    areas = ResponsibilityGrid.objects.bulk_create(
        ResponsibilityGrid(street=world.street, name=f"责任网格{name}", worker=world.people[worker])
        for name, worker in workers.items()
    )
    world.responsibility_grids = dict(zip(workers, areas, strict=True))
    GridMember.objects.bulk_create(
        GridMember(responsibility_grid=area, unit_grid=world.grids[name]) for name, area in world.responsibility_grids.items()
    )
    MapVersion.objects.bulk_create(
        MapVersion(street=street, token=uuid4().hex, changed_at=BEGAN) for street in (world.street, world.other_street)
    )


def _square(column: int) -> dict[str, Any]:
    west, east = LON + column * STEP, LON + (column + 1) * STEP
    ring = [[west, LAT], [east, LAT], [east, LAT + STEP], [west, LAT + STEP], [west, LAT]]
    return {"type": "Polygon", "coordinates": [ring]}


def client_of(person: Person, *, is_strong: bool = True) -> Client:
    """A browser in which ``person`` is signed in, by a session like the sign-in page makes (two statements).

    ``is_strong``: the second factor was shown. POSTs need no CSRF token (Django's test client); use
    ``Client(enforce_csrf_checks=True)`` where that is the question.
    """
    roles = {Role(role) for role in person.posts.values_list("role", flat=True)}
    session = sessions.SessionStore()
    session.create()
    session.update(
        {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: person.get_session_auth_hash(),
            sessions.KIND: rules.session_kind(roles).value,
            sessions.STRONG: is_strong,
            entry.PROVED: core_clock.now().timestamp(),
        }
    )
    session.save()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


class MovableClock:
    """The shell's clock, standing still until moved: ``clock.move(hours=2)``."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


@pytest.fixture
def world(db: None) -> World:
    """The small world, fresh for each test."""
    return make_world()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    """The shell's clock at NOW, also for a module that took the function ``now`` itself."""
    movable = MovableClock(NOW)
    monkeypatch.setattr(core_clock, "timezone", movable)
    return movable
