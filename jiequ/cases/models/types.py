"""Event types with their editions and filing conditions; duty lists; control areas.

An edition and its conditions are never changed: editing a type makes a new edition, and a case points to the filing
condition it was filed under, so nothing that happened is rewritten.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from jiequ.cases.type_rules import Covers, EventKind, Starts, Strength
from jiequ.core.worktime import FIELD_UNITS


def _values(members: object) -> list[str]:
    return sorted(member.value for member in members)  # type: ignore[attr-defined]


def _choices(members: object) -> list[tuple[str, str]]:
    return [(value, value) for value in _values(members)]


def _one_of(field: str, members: object, name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": _values(members)}), name=name)


class EventType(models.Model):
    """What can be reported (事件小类, 部件小类); ``edition`` is the number of its edition in force."""

    kind = models.CharField(max_length=10, choices=_choices(EventKind))
    code = models.CharField(max_length=8)
    is_active = models.BooleanField(default=True)
    edition = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "code"], name="event_type_code_once_a_kind"),
            _one_of("kind", EventKind, "event_type_kind_known"),
            models.CheckConstraint(condition=Q(code__regex=r"^[0-9A-Z]{2,8}$"), name="event_type_code_is_plain"),
        ]

    def __str__(self) -> str:
        return self.code


class TypeEdition(models.Model):
    """An event type as it was from ``effective_at`` on; written once."""

    # identity
    event_type = models.ForeignKey(EventType, on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    # what
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    major_code = models.CharField(max_length=4)
    major_zh = models.CharField(max_length=40)
    major_en = models.CharField(max_length=80, blank=True)
    lead_department_key = models.CharField(max_length=40)
    assist_department_keys = models.JSONField(default=list, blank=True)
    priority = models.PositiveSmallIntegerField(default=2, help_text="0 most urgent … 3")
    needs_check = models.BooleanField(default=True)
    needs_verify = models.BooleanField(default=False)
    is_confidential = models.BooleanField(default=False)
    std_trace = models.TextField(blank=True, help_text="where the type and its limits come from")
    trace_strength = models.CharField(max_length=1, choices=_choices(Strength), default=Strength.OURS.value)
    note = models.TextField(blank=True)
    # when, who
    effective_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True, help_text="a person's plain id; empty for the starter catalogue")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_type", "number"], name="type_edition_number_once"),
            models.CheckConstraint(condition=Q(priority__lte=3), name="type_edition_priority_to_three"),
            _one_of("trace_strength", Strength, "type_edition_strength_known"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class FilingCondition(models.Model):
    """One way a type is found (立案条件), with its limit, closing condition and required proofs; written once.

    ``required_proofs``: [{"kind": photo|note|document, "phase": before|process|after, "at_least": n}].
    """

    # identity
    edition = models.ForeignKey(TypeEdition, on_delete=models.PROTECT, related_name="conditions")
    key = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    # what
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=160, blank=True)
    closing_condition_zh = models.CharField(max_length=200)
    closing_condition_en = models.CharField(max_length=300, blank=True)
    required_proofs = models.JSONField(default=list)
    # when
    limit_value = models.DecimalField(max_digits=6, decimal_places=2)
    limit_unit = models.CharField(max_length=12, choices=_choices(FIELD_UNITS))
    covers = models.CharField(max_length=10, choices=_choices(Covers), default=Covers.WHOLE.value)
    starts = models.CharField(max_length=10, choices=_choices(Starts), default=Starts.DISPATCH.value)
    has_light = models.BooleanField(default=True, help_text="false: planned work that is never shown as late")
    limit_from_zh = models.CharField(max_length=80, blank=True, help_text="whose limit it is, if not this city's")
    limit_from_en = models.CharField(max_length=160, blank=True)
    source = models.TextField(blank=True)
    strength = models.CharField(max_length=1, choices=_choices(Strength), default=Strength.OURS.value)

    class Meta:
        ordering = ["edition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "key"], name="filing_condition_key_once"),
            models.UniqueConstraint(fields=["edition", "position"], name="filing_condition_position_once"),
            models.CheckConstraint(condition=Q(limit_value__gt=0), name="filing_condition_has_a_limit"),
            _one_of("limit_unit", FIELD_UNITS, "filing_condition_unit_known"),
            _one_of("covers", Covers, "filing_condition_covers_known"),
            _one_of("starts", Starts, "filing_condition_starts_known"),
            _one_of("strength", Strength, "filing_condition_strength_known"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class DutyList(models.Model):
    """What one department or community of a street answers for (职责清单); a task outside it is refused with ``clause``."""

    # identity
    version = models.PositiveIntegerField(default=1)
    # what
    clause = models.CharField(max_length=300)
    types = models.ManyToManyField(EventType, related_name="+", blank=True)
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey("people.Department", null=True, on_delete=models.PROTECT, related_name="+")
    community = models.ForeignKey("grid.Community", null=True, on_delete=models.PROTECT, related_name="+")
    # when, who
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["street", "department"], name="duty_list_once_a_department"),
            models.UniqueConstraint(fields=["community"], name="duty_list_once_a_community"),
            models.CheckConstraint(
                condition=Q(department=None, community__isnull=False) | Q(department__isnull=False, community=None),
                name="duty_list_is_for_one",
            ),
            models.CheckConstraint(condition=~Q(clause=""), name="duty_list_has_a_clause"),
        ]


class ControlArea(models.Model):
    """Where and when some types are not to be reported (planned works), with what the reporter is told.

    No types: every type. The place is a GeoJSON polygon or a community.
    """

    # identity
    version = models.PositiveIntegerField(default=1)
    # what
    name = models.CharField(max_length=80)
    notice_zh = models.CharField(max_length=300)
    notice_en = models.CharField(max_length=400, blank=True)
    types = models.ManyToManyField(EventType, related_name="+", blank=True)
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    geometry = models.JSONField(null=True)
    community = models.ForeignKey("grid.Community", null=True, on_delete=models.PROTECT, related_name="+")
    # when, who
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="control_area_by_end")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="control_area_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(geometry__isnull=True, community__isnull=False) | Q(geometry__isnull=False, community__isnull=True),
                name="control_area_has_one_place",
            ),
        ]

    def __str__(self) -> str:
        return self.name
