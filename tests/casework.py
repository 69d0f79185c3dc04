"""Cases for tests: a type with proofs, and a walk that brings a case to a state by its services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jiequ.cases import services
from jiequ.cases.access import case_for
from jiequ.cases.jobs import clock_mark
from jiequ.cases.models import Case, EventType, FilingCondition, TypeEdition
from jiequ.core.models import Job, Picture
from jiequ.grid.lines import Lines, packed
from jiequ.grid.models import MapVersion, Place
from jiequ.grid.queries import forget
from jiequ.grid.rules import q18
from jiequ.people.rules import Actor
from tests.actors import NOW, World

AFTER_PHOTO = [{"kind": "photo", "phase": "after", "at_least": 1}]


def make_condition(
    code: str = "0110",
    *,
    name: str = "暴露生活垃圾",
    limit: int = 4,
    unit: str = "work_hour",
    proofs: list[dict[str, Any]] | None = None,
    lead_key: str = "hw",
    needs_check: bool = True,
) -> FilingCondition:
    """An event type with one edition and one filing condition."""
    event_type = EventType.objects.create(kind="event", code=code)
    edition = TypeEdition.objects.create(
        event_type=event_type,
        number=1,
        name_zh=name,
        name_en=code,
        major_code=code[:2],
        major_zh="市容环境",
        lead_department_key=lead_key,
        needs_check=needs_check,
        effective_at=NOW - timedelta(days=30),
    )
    return FilingCondition.objects.create(
        edition=edition,
        key="only",
        position=1,
        name_zh=name,
        closing_condition_zh="清理干净",
        required_proofs=AFTER_PHOTO if proofs is None else proofs,
        limit_value=limit,
        limit_unit=unit,
    )


def make_picture(street_id: int, name: str = "a") -> Picture:
    """A picture's row (no file: nothing here looks into it)."""
    return Picture.objects.create(
        street_id=street_id,
        sha256=name.ljust(64, "0"),
        name=f"{name}.jpg",
        width=800,
        height=600,
        size_bytes=1,
        admitted_at=NOW,
    )


def make_place(
    world: World, name: str, *, grid: str = "a", kind: str = "estate", aliases: tuple[str, ...] = (), line: Lines = ()
) -> Place:
    """A place of the gazetteer in the middle of a unit grid, with its course; the map's token changes with it."""
    lon, lat = world.point_in(grid)
    where = {"lon": lon, "lat": lat, "q18": q18(lon, lat), "raw_x": lon, "raw_y": lat}
    names = {"name": name, "aliases": list(aliases), "words": "\n".join([name, *aliases]), "line": packed(line)}
    made = Place.objects.create(street=world.street, community=world.grids[grid].community, kind=kind, **names, **where)
    MapVersion.objects.update_or_create(street=world.street, defaults={"token": f"place-{made.pk}", "changed_at": NOW})
    forget()
    return made


@dataclass
class Casework:
    """One world, one filing condition, and the hands that move a case."""

    world: World
    condition: FilingCondition

    @property
    def sanitation(self) -> int:
        return int(self.world.sanitation.pk)

    @property
    def water(self) -> int:
        return int(self.world.water.pk)

    def actor(self, name: str) -> Actor:
        return self.world.actor(name)

    def place(self, grid: str = "a") -> services.Place:
        x, y = self.world.point_in(grid)
        return services.Place(x=x, y=y, system="cgcs2000", accuracy_m=8)

    def account(self, **changes: Any) -> services.Account:
        values: dict[str, Any] = {
            "source": "resident",
            "words": "河边有一堆垃圾",
            "place": self.place(),
            "contact": services.Contact(name="周女士", phone="13912345678"),
        }
        return services.Account(**(values | changes))

    def reported(self, *, by: str = "zhou", at: datetime = NOW, **changes: Any) -> services.Reported:
        account = self.account(**changes)
        return services.report_case(street_id=self.world.street.pk, account=account, by=self.actor(by), at=at)

    def fresh(self, case: Case, name: str) -> Case:
        return case_for(self.actor(name), case.number)

    def just_reported(self) -> Case:
        return self.reported().case

    def sampled(self) -> Case:
        """A self-handled case that a supervisor is asked to look at."""
        self.world.street.settings = {**self.world.street.settings, "self_handled_sample": 1.0}
        self.world.street.save(update_fields=["settings"])
        pictures = [make_picture(self.world.street.pk, f"s{Case.objects.count()}")]
        account = self.account(source="staff", contact=None, condition_id=self.condition.pk, pictures=pictures)
        return services.self_handle(street_id=None, account=account, by=self.actor("chen"), at=NOW).case

    def accepted(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.fresh(self.reported(at=at, **changes).case, "lin")
        services.accept(case, condition_id=self.condition.pk, by=self.actor("lin"), at=at)
        return case

    def dispatched(self, *, at: datetime = NOW, assist: tuple[int, ...] = (), **changes: Any) -> Case:
        case = self.accepted(at=at, **changes)
        services.dispatch(case, lead_id=self.sanitation, assist_ids=assist, by=self.actor("lin"), at=at)
        return case

    def handling(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.fresh(self.dispatched(at=at, **changes), "huang")
        services.acknowledge(case, by=self.actor("huang"), at=at)
        return case

    def handled(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.handling(at=at, **changes)
        shown = [services.Shown(picture=make_picture(case.street_id, f"h{case.pk}-{case.version}"))]
        services.handle(case, shown=shown, text="已清运", by=self.actor("huang"), at=at)
        return case

    def checking(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.fresh(self.handled(at=at, **changes), "wu")
        services.confirm(case, by=self.actor("wu"), at=at)
        return case

    def checked(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.fresh(self.checking(at=at, **changes), "chen")
        services.check_pass(case, by=self.actor("chen"), at=at)
        return case

    def closed(self, *, at: datetime = NOW, **changes: Any) -> Case:
        case = self.fresh(self.checked(at=at, **changes), "lin")
        services.close(case, reply="垃圾已清走", by=self.actor("lin"), at=at)
        return case


def run_marks(case: Case, until: datetime) -> None:
    """The clock's own marks, as the worker makes them."""
    for job in Job.objects.filter(kind="cases.clock_mark", args__case_id=case.pk, run_at__lte=until).order_by("run_at"):
        clock_mark(**job.args, at=job.run_at)
