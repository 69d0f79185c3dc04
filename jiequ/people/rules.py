"""Who may act: roles, seats and actors. Pure; imports nothing of Django.

A *role* is what the field calls a post's duty (DOMAIN §1); a *seat* is a role held somewhere (a street, a department);
an *actor* is whoever asks for a move right now, with every seat that person holds at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """The roles of DOMAIN §1. RESIDENT has no account; SYSTEM is the clock and the jobs."""

    RESIDENT = "resident"
    GRID_WORKER = "grid_worker"
    ACCEPTOR = "acceptor"
    DUTY_LEADER = "duty_leader"
    DISPATCHER = "dispatcher"
    HANDLER = "handler"
    DEPARTMENT_LEAD = "department_lead"
    LEADER = "leader"
    SUPERVISOR = "supervisor"
    OFFICER = "officer"
    PILOT = "pilot"
    ANALYST = "analyst"
    BUREAU = "bureau"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"
    SYSTEM = "system"


ADMIN_ROLES = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
DESK_ROLES = frozenset({Role.ACCEPTOR, Role.DUTY_LEADER, Role.DISPATCHER, Role.LEADER, Role.SUPERVISOR})
DEPARTMENT_ROLES = frozenset({Role.HANDLER, Role.DEPARTMENT_LEAD, Role.OFFICER})
BUREAU_ROLES = frozenset({Role.BUREAU})
POST_ROLES = frozenset(Role) - {Role.RESIDENT, Role.SYSTEM}
CASE_ROLES = POST_ROLES - ADMIN_ROLES
# Leaders and leads among them: whoever stands in for a night or a flood is told at once, as by day (DOMAIN §5 rule 5).
_LEADING_ROLES = {Role.LEADER, Role.DUTY_LEADER, Role.DEPARTMENT_LEAD}
ROSTER_ROLES = frozenset({Role.GRID_WORKER, Role.ACCEPTOR, Role.DISPATCHER, Role.HANDLER, Role.OFFICER}) | _LEADING_ROLES

# Who must prove a second factor (RELIABILITY: ASVS 6.3.3), and whose sessions are short: those who sit at a desk.
# A leader works on a phone (DOMAIN §1): second factor when the phone becomes trusted, then the phone's long session.
SECOND_FACTOR_ROLES = DESK_ROLES | ADMIN_ROLES | BUREAU_ROLES
SHORT_SESSION_ROLES = SECOND_FACTOR_ROLES - {Role.LEADER} | {Role.ANALYST}


class Account(StrEnum):
    """What an account is for; fixed when it is made, so that no person can grow into two administrators."""

    STAFF = "staff"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


class DepartmentKind(StrEnum):
    """What a department is; a bureau belongs to the district, the others to one street."""

    OFFICE = "office"
    COMMUNITY = "community"
    CONTRACTOR = "contractor"
    BUREAU = "bureau"


class ApiScope(StrEnum):
    """What a program's token may be used for; whatever its owner may not do, it may not either."""

    CASES_READ = "cases:read"
    CASES_MOVE = "cases:move"
    REPORTS_WRITE = "reports:write"
    REFERENCE_READ = "reference:read"
    OPEN311 = "open311"


class SessionKind(StrEnum):
    """How long a session lives: a desk's, a staff phone's, or nobody's (a form's or a resident's)."""

    DESK = "desk"
    PHONE = "phone"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class SessionLife:
    """``idle``: ends when unused so long; ``absolute``: ends in any case."""

    idle: timedelta
    absolute: timedelta

    def idle_end(self, at: datetime, ends_at: datetime) -> datetime:
        """When the session used at ``at`` ends if it is not used again."""
        return min(at + self.idle, ends_at)


SESSION_LIFE = {
    SessionKind.DESK: SessionLife(idle=timedelta(hours=2), absolute=timedelta(hours=12)),
    SessionKind.PHONE: SessionLife(idle=timedelta(hours=12), absolute=timedelta(hours=24)),
    SessionKind.ANONYMOUS: SessionLife(idle=timedelta(days=90), absolute=timedelta(days=90)),
}
SESSION_TOUCH_EVERY = timedelta(minutes=5)
DEVICE_LIFE = timedelta(days=90)
LONGEST_TOKEN = timedelta(days=366)
LONGEST_LEAVE = timedelta(days=366)
MOST_DEPUTIES = 3  # a deputy on leave has a deputy too; after three the work stays where it is
RESET_CODE_LIFE = timedelta(minutes=30)


def account_of(role: Role) -> Account:
    """The kind of account that may hold ``role``."""
    return Account(role.value) if role in ADMIN_ROLES else Account.STAFF


def session_kind(roles: Iterable[Role]) -> SessionKind:
    """One desk role among them makes it a desk session."""
    return SessionKind.DESK if SHORT_SESSION_ROLES & set(roles) else SessionKind.PHONE


def needs_second_factor(roles: Iterable[Role]) -> bool:
    """True if one of the roles works at a desk, for a bureau, or administers."""
    return bool(SECOND_FACTOR_ROLES & set(roles))


@dataclass(frozen=True, slots=True)
class Seat:
    """A role held in a street (None: the whole district) and, for department roles, in a department."""

    role: Role
    street_id: int | None = None
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class HeldPost:
    """One post as sign-in reads it: a seat, and whose it is (one's own, or that of somebody on leave)."""

    person_id: int
    seat: Seat


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks. ``person_id`` is None for a resident (who holds a private link) and for the system.

    ``seats`` are the person's own and those lent by persons on leave (``acting_for``); ``street_id`` is where home is.
    ``only_street``: a program's token that is bound to one street sees and does nothing beyond it.
    """

    person_id: int | None
    name: str = ""
    seats: frozenset[Seat] = field(default_factory=frozenset)
    report_id: int | None = None
    language: str = "zh-hans"
    acting_for: frozenset[int] = frozenset()
    street_id: int | None = None
    only_street: int | None = None

    def within(self, street_id: int | None) -> Actor:
        """The same actor with nothing beyond one street (None: unchanged); a district seat shrinks to that street."""
        if street_id is None:
            return self
        inside = frozenset(replace(seat, street_id=street_id) for seat in self.seats if seat.street_id in (None, street_id))
        return replace(self, seats=inside, only_street=street_id)

    def may_enter(self, street_id: int) -> bool:
        """False beyond the street a token is bound to."""
        return self.only_street in (None, street_id)

    def stands_for(self, person_id: int | None) -> bool:
        """True if that person is the actor, or is on leave and the actor is the deputy (A/B 角)."""
        return person_id is not None and (person_id == self.person_id or person_id in self.acting_for)

    @property
    def person_ids(self) -> frozenset[int]:
        """The persons whose to-dos are the actor's: their own and those of whoever they deputise for."""
        return self.acting_for | ({self.person_id} if self.person_id is not None else frozenset())

    def has(self, *roles: Role, street_id: int | None = None, department_id: int | None = None) -> bool:
        """True if a seat with one of ``roles`` covers the street (a district seat covers all) and the department."""
        return any(
            seat.role in roles
            and (street_id is None or seat.street_id is None or seat.street_id == street_id)
            and (department_id is None or seat.department_id == department_id)
            for seat in self.seats
        )

    def roles_in(self, street_id: int) -> frozenset[Role]:
        """Every role held in that street, district seats included."""
        return frozenset(s.role for s in self.seats if s.street_id is None or s.street_id == street_id)

    def streets(self, *roles: Role) -> frozenset[int]:
        """The streets in which one of ``roles`` is held (district seats are not expanded here)."""
        return frozenset(s.street_id for s in self.seats if s.street_id is not None and (not roles or s.role in roles))

    def departments(self, *roles: Role) -> frozenset[int]:
        """The departments in which one of ``roles`` is held."""
        return frozenset(s.department_id for s in self.seats if s.department_id is not None and (not roles or s.role in roles))

    @classmethod
    def system(cls) -> Actor:
        """The clock and the jobs."""
        return cls(person_id=None, name="system", seats=frozenset({Seat(Role.SYSTEM)}))

    @classmethod
    def resident(cls, report_id: int | None, language: str = "zh-hans") -> Actor:
        """A resident who came with the private link of one report (None: is about to make one)."""
        return cls(person_id=None, name="", seats=frozenset({Seat(Role.RESIDENT)}), report_id=report_id, language=language)

    @classmethod
    def of_posts(
        cls,
        person_id: int,
        posts: Iterable[HeldPost],
        *,
        name: str = "",
        language: str = "zh-hans",
        street_id: int | None = None,
        is_strong: bool = True,
    ) -> Actor:
        """The actor who holds these posts and stands in for whoever else's are among them.

        An administrator stands in for nobody and no administrator's post is lent (DOMAIN §9). ``is_strong``: the second
        factor was shown; without it a lent seat that needs one is not there.
        """
        posts = list(posts)
        own = frozenset(post.seat for post in posts if post.person_id == person_id)
        is_admin = any(seat.role in ADMIN_ROLES for seat in own)
        lent = [
            post
            for post in posts
            if post.person_id != person_id
            and not is_admin
            and post.seat.role not in ADMIN_ROLES
            and (is_strong or post.seat.role not in SECOND_FACTOR_ROLES)
        ]
        return cls(
            person_id=person_id,
            name=name,
            seats=own | {post.seat for post in lent},
            language=language,
            acting_for=frozenset(post.person_id for post in lent),
            street_id=street_id,
        )
