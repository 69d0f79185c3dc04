"""Who may act: roles, seats and actors. Pure; imports nothing of Django.

A *role* is what the field calls a post's duty (DOMAIN §1); a *seat* is a role held somewhere (a street, a department);
an *actor* is whoever asks for a move right now, with every seat that person holds at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Seat:
    """A role held in a street (None: the whole district) and, for department roles, in a department."""

    role: Role
    street_id: int | None = None
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks. ``person_id`` is None for a resident (who holds a private link) and for the system."""

    person_id: int | None
    name: str = ""
    seats: frozenset[Seat] = field(default_factory=frozenset)
    report_id: int | None = None
    language: str = "zh-hans"

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
        return frozenset(
            s.department_id for s in self.seats if s.department_id is not None and (not roles or s.role in roles)
        )

    @classmethod
    def system(cls) -> Actor:
        """The clock and the jobs."""
        return cls(person_id=None, name="system", seats=frozenset({Seat(Role.SYSTEM)}))

    @classmethod
    def resident(cls, report_id: int | None, language: str = "zh-hans") -> Actor:
        """A resident who came with the private link of one report (None: is about to make one)."""
        return cls(
            person_id=None, name="", seats=frozenset({Seat(Role.RESIDENT)}), report_id=report_id, language=language
        )
