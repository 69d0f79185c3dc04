"""Reads docs/roles.md: the two hand-written tables, and what it takes to try them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from jiequ.people.models import Department, Person, Post
from jiequ.people.rules import BUREAU_ROLES, DEPARTMENT_ROLES, POST_ROLES, Role, account_of
from tests.actors import SINCE, World

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
ANYBODY = "anon"
SAMPLES = {"int": 999_999, "str": "x" * 43, "slug": "x", "path": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


def tables() -> list[list[list[str]]]:
    """Every table of the document as rows of cells, heading first."""
    found: list[list[list[str]]] = [[]]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not set("".join(cells)) <= set("-: "):
                found[-1].append(cells)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def role_keys() -> dict[str, Role]:
    """``GW`` → Role.GRID_WORKER, from the first table."""
    rows = tables()[0][1:]
    return {row[0]: Role(row[1]) for row in rows if row[0].isalpha()}


def doors() -> dict[str, dict[str, bool]]:
    """Route → column → whether the door opens, from the second table."""
    heading, *rows = tables()[1]
    found: dict[str, dict[str, bool]] = {}
    for row in rows:
        for route in re.findall(r"`([a-z0-9_:-]+)`", row[0]):
            assert route not in found, f"{route} stands in two rows"
            assert len(row) == len(heading), f"the row of {route} has {len(row)} cells"
            found[route] = {name: _opens(cell) for name, cell in zip(heading[1:], row[1:], strict=True)}
    return found


def capabilities() -> dict[str, dict[str, bool]]:
    """Capability → column → allowed, from the third table."""
    heading, *rows = tables()[2]
    return {row[0]: {name: _opens(cell) for name, cell in zip(heading[1:], row[1:], strict=True)} for row in rows}


def _opens(cell: str) -> bool:
    assert cell in {"+", "-"}, cell
    return cell == "+"


def routes() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Every route of the installation: its name, an address with sample values, and its view."""
    yield from _walk(get_resolver(), "/", "")


def _walk(resolver: URLResolver, prefix: str, space: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    for part in resolver.url_patterns:
        if isinstance(part, URLResolver):
            inner = f"{space}{part.namespace}:" if part.namespace else space
            yield from _walk(part, prefix + _filled(part), inner)
        else:
            yield f"{space}{part.name or '?'}", prefix + _filled(part), part.callback


def _filled(part: URLPattern | URLResolver) -> str:
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: str(SAMPLES[found.group(1) or "str"]), str(part.pattern))


def one_person_per_role(world: World, at: datetime) -> dict[Role, Person]:
    """Somebody with just that role, in the street of 黄; department roles in 黄's department."""
    bureau = Department.objects.get(pk=world.traffic.pk)
    found: dict[Role, Person] = {}
    for number, role in enumerate(sorted(POST_ROLES)):
        account = account_of(role).value
        person = Person.objects.create(
            username=f"only-{role.value.replace('_', '-')}",
            name=f"只{number}",
            phone=f"139000000{number:02d}",
            account=account,
            password=world.chen.password,
            created_at=at,
        )
        has_street = account == "staff" and role not in BUREAU_ROLES
        department = bureau if role in BUREAU_ROLES else world.sanitation if role in DEPARTMENT_ROLES else None
        Post.objects.create(
            person=person,
            account=account,
            role=role.value,
            street=world.street if has_street else None,
            department=department,
            starts_on=SINCE,
        )
        found[role] = person
    return found


def templates() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Every route: its name, its address with the names of its parts in angle brackets, its view."""
    yield from _templates(get_resolver(), "/", "")


def _templates(resolver: URLResolver, prefix: str, space: str) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    for part in resolver.url_patterns:
        address = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(part.pattern))
        if isinstance(part, URLResolver):
            inner = f"{space}{part.namespace}:" if part.namespace else space
            yield from _templates(part, address, inner)
        else:
            yield f"{space}{part.name or '?'}", address, part.callback


def parts(address: str) -> list[str]:
    """The names in angle brackets."""
    return re.findall(r"<(\w+)>", address)


def filled(address: str, ids: Mapping[str, Any]) -> str:
    """The address with ids in place; KeyError for a part that nobody thought of."""
    return re.sub(r"<(\w+)>", lambda found: str(ids[found.group(1)]), address)


CONSTANTS: dict[str, Any] = {
    "variant": "full",
    "kind": "event",
    "code": "0110",
    "source_ref": "none",
    "name": "note",
    "move": "note",
    "act": "rename",
    "key": "closed-done",
    "form": "json",
    "service_code": "0110",
    "request_id": "LG-2026-000001",
    "handle": "none",
    "partner_id": 999_999,
    "voice_id": 999_999,
    "sheet_id": 999_999,
    "arrival_id": 999_999,
    "member_id": 999_999,
    "form_id": 999_999,
    "version_id": 999_999,
    "secret": "not-the-secret",
    "draft_id": 999_999,
    "file_id": 999_999,
}
"""What stands for the parts of addresses that no row of a scene fills."""
