"""What the triage of a district has learned, from what, and how well it does. Codes and plain ids: no word of anybody."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import F, Q


class Kind(StrEnum):
    """What a model answers: which type a report is of, or which department handles it."""

    TYPE = "type"
    DEPARTMENT = "department"


class Standing(StrEnum):
    """Where a version stands. Refused: a challenger that was not better. Gone: its file was removed, its card stays."""

    CHAMPION = "champion"
    KEPT = "kept"
    REFUSED = "refused"
    GONE = "gone"


class Cause(StrEnum):
    """Why it was learned anew."""

    NIGHTLY = "nightly"
    CORRECTIONS = "corrections"
    BY_HAND = "by_hand"
    COMMAND = "command"


class Progress(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


def _choices(members: type[StrEnum]) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in members]


def _known(field: str, members: type[StrEnum], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": sorted(m.value for m in members)}), name=name)


class Version(models.Model):
    """One model of the district; its file lies under JIEQU_VAR/triage, and at most one of a kind is in use."""

    # identity
    kind = models.CharField(max_length=12, choices=_choices(Kind))
    number = models.PositiveIntegerField()
    district_code = models.CharField(max_length=6)
    # what
    standing = models.CharField(max_length=10, choices=_choices(Standing))
    why = models.CharField(max_length=30, blank=True, help_text="why it was taken or refused, as a code")
    name = models.CharField(max_length=80, blank=True, help_text="of its file; a refused one has none")
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveIntegerField()
    examples = models.PositiveIntegerField()
    corrections = models.PositiveIntegerField(default=0)
    last_lesson_id = models.BigIntegerField(default=0, help_text="what it has learned up to; later lessons are added at once")
    card = models.JSONField(default=dict)
    # when, who
    made_at = models.DateTimeField()
    used_since = models.DateTimeField(null=True)
    chosen_by = models.BigIntegerField(null=True, help_text="a person's plain id, where somebody rolled back to it")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="triage_version_number_once"),
            models.UniqueConstraint(fields=["kind"], condition=Q(standing="champion"), name="triage_one_champion_a_kind"),
            _known("kind", Kind, "triage_version_kind_known"),
            _known("standing", Standing, "triage_version_standing_known"),
            models.CheckConstraint(
                condition=~Q(standing="champion") | Q(used_since__isnull=False), name="triage_champion_says_since_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Learning(models.Model):
    """One run in which the district's models are fitted anew; at most one waits or works."""

    # identity
    cause = models.CharField(max_length=12, choices=_choices(Cause))
    # what
    progress = models.CharField(max_length=8, choices=_choices(Progress), default=Progress.WAITING)
    stage = models.CharField(max_length=30, blank=True)
    share = models.FloatField(default=0.0)
    examples = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True)
    outcome = models.JSONField(default=dict, help_text="kind → number and why")
    # when, who
    asked_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    asked_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(progress__in=["waiting", "working"]), name="triage_one_learning_at_a_time"
            ),
            _known("cause", Cause, "triage_learning_cause_known"),
            _known("progress", Progress, "triage_learning_progress_known"),
            models.CheckConstraint(
                condition=Q(progress__in=["waiting", "working"], ended_at=None)
                | Q(progress__in=["done", "failed"], ended_at__isnull=False),
                name="triage_learning_ended_says_when",
            ),
        ]


class Lesson(models.Model):
    """What one confirmed move teaches: which type or department a person chose for which case. Written with the move.

    Later, what had been suggested stands beside it, by the model in use then and without this lesson: the honest figure.
    """

    # identity
    case_ref = models.BigIntegerField()
    event_ref = models.BigIntegerField()
    # what
    move = models.CharField(max_length=24)
    type_code = models.CharField(max_length=20, blank=True)
    department = models.CharField(max_length=40, blank=True, help_text="the lead's key; of a return, whose it was")
    is_return = models.BooleanField(default=False)
    is_type_taught = models.BooleanField(default=False, help_text="a person has just chosen the type")
    # where
    street = models.CharField(max_length=9)
    community = models.CharField(max_length=12, blank=True)
    source = models.CharField(max_length=12, blank=True)
    # when
    at = models.DateTimeField()
    # what had been suggested
    judged_at = models.DateTimeField(null=True)
    type_place = models.SmallIntegerField(null=True, help_text="1 to 3: where the type stood among those suggested; 0: nowhere")
    type_confidence = models.FloatField(null=True)
    department_place = models.SmallIntegerField(null=True)
    department_confidence = models.FloatField(null=True)
    is_correction = models.BooleanField(default=False)
    is_forgotten = models.BooleanField(default=False, help_text="the words are gone: nothing made of them is used")

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="triage_lesson_at"),
            models.Index(fields=["case_ref"], name="triage_lesson_case"),
            models.Index(fields=["id"], condition=Q(judged_at=None), name="triage_lesson_unjudged"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event_ref"], name="triage_lesson_once_an_event"),
            models.CheckConstraint(condition=~Q(type_code="", department=""), name="triage_lesson_teaches_something"),
        ]


class Week(models.Model):
    """How a week's suggestions did, against what people then chose; what the drift alarm is raised from."""

    # identity
    kind = models.CharField(max_length=12, choices=_choices(Kind))
    monday = models.DateField()
    # what
    taught = models.PositiveIntegerField()
    first_right = models.PositiveIntegerField()
    three_right = models.PositiveIntegerField()
    sure = models.PositiveIntegerField(default=0, help_text="suggested with at least 0.8")
    sure_right = models.PositiveIntegerField(default=0)
    drift = models.FloatField(null=True)
    facts = models.JSONField(default=dict)
    is_alarm = models.BooleanField(default=False)
    # when
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "monday"], name="triage_week_once"),
            _known("kind", Kind, "triage_week_kind_known"),
            models.CheckConstraint(
                condition=Q(first_right__lte=F("three_right"), three_right__lte=F("taught"), sure_right__lte=F("sure")),
                name="triage_week_adds_up",
            ),
        ]


class UrgentWord(models.Model):
    """A word that makes a report urgent, as the district has it; none: the starter list of the engine."""

    word = models.CharField(max_length=20, unique=True)
    level = models.PositiveSmallIntegerField(default=0, help_text="0 most urgent")
    code = models.CharField(max_length=20)
    not_in = models.CharField(max_length=200, blank=True, help_text="longer words in which it means nothing, by blanks")

    class Meta:
        ordering = ["level", "word"]
