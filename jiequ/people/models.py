"""Who works here: persons, departments, posts, duty rota, leave; and what signing in leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from jiequ.core.models import Street

from .rules import ADMIN_ROLES, BUREAU_ROLES, DEPARTMENT_ROLES, POST_ROLES, Account, DepartmentKind, Role, SessionKind


def _values(members: Iterable[StrEnum]) -> list[str]:
    """Plain strings, so that a migration names no code of today."""
    return sorted(member.value for member in members)


def _choices(members: Iterable[StrEnum]) -> list[tuple[str, str]]:
    return [(value, value) for value in _values(members)]


ADMINISTRATORS = _values(ADMIN_ROLES)
IN_DEPARTMENT = _values(DEPARTMENT_ROLES | BUREAU_ROLES)
STAFF = Account.STAFF.value
BUREAU = DepartmentKind.BUREAU.value


class PersonQuerySet(models.QuerySet["Person"]):
    """Persons by what they are."""

    def active(self) -> PersonQuerySet:
        return self.filter(is_active=True)


class PersonManager(BaseUserManager.from_queryset(PersonQuerySet)):  # type: ignore[misc]
    """Finds persons for Django's own sign-in machinery."""


class Person(AbstractBaseUser):
    """Somebody with an account: staff, or one of the three administrators."""

    # identity
    username = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True, default="")
    email = models.EmailField(max_length=200, null=True, blank=True, help_text="of the office, for notices; optional")
    account = models.CharField(max_length=20, choices=_choices(Account), default=STAFF)
    version = models.PositiveIntegerField(default=1)
    # what
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, default="zh-hans")
    care_mode = models.BooleanField(default=False)
    totp_sealed = models.TextField(blank=True, default="")
    totp_step = models.BigIntegerField(default=0)
    oidc_subject = models.CharField(max_length=255, null=True, blank=True, unique=True)
    session_epoch = models.PositiveIntegerField(default=1)
    # where
    street = models.ForeignKey(Street, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # when
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    last_login = None  # nobody's hours are counted (DOMAIN §5 rule 2)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = PersonManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["phone"], condition=~Q(phone=""), name="person_phone_once"),
            models.CheckConstraint(condition=Q(account__in=_values(Account)), name="person_account_known"),
            models.CheckConstraint(condition=Q(account=STAFF) | ~Q(phone=""), name="person_administrator_has_own_phone"),
            models.CheckConstraint(
                condition=Q(is_active=True, disabled_at=None) | Q(is_active=False, disabled_at__isnull=False),
                name="person_disabled_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session remembers of its owner: another password or a raised epoch ends every session."""
        salt = "jiequ.people.models.Person.session"
        return salted_hmac(salt, f"{self.session_epoch}:{self.password}", secret=secret, algorithm="sha256").hexdigest()


class Department(models.Model):
    """A unit that handles cases: a street's office, community or contractor, or a district bureau."""

    # identity
    key = models.CharField(max_length=40)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120)
    version = models.PositiveIntegerField(default=1)
    # what
    kind = models.CharField(max_length=20, choices=_choices(DepartmentKind))
    is_active = models.BooleanField(default=True)
    # where
    street = models.ForeignKey(Street, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["street", "key"], name="department_key_once_a_street"),
            models.UniqueConstraint(fields=["key"], condition=Q(street=None), name="department_key_once_in_district"),
            models.CheckConstraint(
                condition=Q(kind=BUREAU, street=None) | (~Q(kind=BUREAU) & Q(street__isnull=False)),
                name="department_bureau_is_the_districts",
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh


class PostQuerySet(models.QuerySet["Post"]):
    """Posts by time."""

    def held_on(self, day: date) -> PostQuerySet:
        """Posts begun and not yet ended on that day."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gt=day), starts_on__lte=day)


class Post(models.Model):
    """A role a person holds somewhere, from a day until further notice or the first day without it (``ends_on``)."""

    # what
    role = models.CharField(max_length=20, choices=_choices(Role))
    # where
    street = models.ForeignKey(Street, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # when
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="posts")
    account = models.CharField(max_length=20, choices=_choices(Account))

    objects = PostQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["street", "role"]), models.Index(fields=["department", "role"])]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=_values(POST_ROLES)), name="post_role_can_be_held"),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")), name="post_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=(Q(role__in=ADMINISTRATORS) & Q(account=F("role"), street=None, department=None))
                | (~Q(role__in=ADMINISTRATORS) & Q(account=STAFF)),
                name="post_fits_the_account",
            ),
            models.CheckConstraint(
                condition=~Q(role__in=IN_DEPARTMENT) | Q(department__isnull=False), name="post_has_its_department"
            ),
            models.UniqueConstraint(
                fields=["person", "role", "street", "department"],
                condition=Q(ends_on=None),
                name="post_open_once_in_department",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "street"],
                condition=Q(ends_on=None, department=None),
                name="post_open_once_in_street",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "department"],
                condition=Q(ends_on=None, street=None),
                name="post_open_once_in_bureau",
            ),
            models.UniqueConstraint(
                fields=["person", "role"],
                condition=Q(ends_on=None, street=None, department=None),
                name="post_open_once_in_district",
            ),
        ]


class Shift(models.Model):
    """One person's turn on a duty rota."""

    # what
    role = models.CharField(max_length=20, choices=_choices(Role))
    # where
    street = models.ForeignKey(Street, on_delete=models.PROTECT, related_name="+")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # when
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # who
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="shifts")

    class Meta:
        indexes = [models.Index(fields=["street", "role", "ends_at"])]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="shift_ends_after_it_starts"),
            models.UniqueConstraint(fields=["person", "role", "street", "starts_at"], name="shift_of_a_person_starts_once"),
        ]


class LeaveQuerySet(models.QuerySet["Leave"]):
    """Leaves by time."""

    def running(self, at: datetime) -> LeaveQuerySet:
        """Leaves in force at that moment."""
        return self.filter(starts_at__lte=at, ends_at__gt=at, cancelled_at=None)

    def touching(self, starts_at: datetime, ends_at: datetime) -> LeaveQuerySet:
        """Leaves in force at some moment of a period."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at, cancelled_at=None)


class Leave(models.Model):
    """A period in which a deputy stands for a person (A/B 角): to-dos, approvals and notices go to the deputy."""

    # when
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="leaves")
    deputy = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deputyships")
    set_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = LeaveQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["person", "ends_at"]), models.Index(fields=["deputy", "ends_at"])]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="leave_ends_after_it_starts"),
            models.CheckConstraint(condition=~Q(person=F("deputy")), name="leave_deputy_is_another"),
        ]


class Session(models.Model):
    """One signed-in browser, or a form's memory; the cookie's key is kept as a hash only."""

    # identity
    key_hash = models.CharField(max_length=64, primary_key=True)
    # what
    data = models.TextField()
    kind = models.CharField(max_length=10, choices=_choices(SessionKind), default=SessionKind.ANONYMOUS.value)
    label = models.CharField(max_length=80, blank=True, default="")
    # when
    begun_at = models.DateTimeField()
    idle_end_at = models.DateTimeField(db_index=True)
    ends_at = models.DateTimeField()
    # who
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    account = models.CharField(max_length=40, blank=True, default="", help_text="the outside account it came in by: wechat:12")

    class Meta:
        indexes = [models.Index(fields=["account"], name="session_of_account", condition=~Q(account=""))]


class Device(models.Model):
    """A browser a person signed in from before: it keeps its owner's own tries, and lets a staff phone in again."""

    # identity
    token_hash = models.CharField(max_length=64)
    # what
    label = models.CharField(max_length=80, blank=True, default="")
    stays_signed_in = models.BooleanField(default=False)
    second_factor = models.BooleanField(default=False)
    # when
    trusted_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token_hash", "person"], name="device_once_a_person")]


class ResetCode(models.Model):
    """A one-time code by which a person sets a new password; printed once by an administrator, kept as a hash."""

    # identity
    code_hash = models.CharField(max_length=64, unique=True)
    # when
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")


class RecoveryCode(models.Model):
    """A spare second factor, good once."""

    # identity
    code_hash = models.CharField(max_length=64)
    # when
    used_at = models.DateTimeField(null=True, blank=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "code_hash"], name="recovery_code_once_a_person")]


class ApiToken(models.Model):
    """A program's key to the API in one person's name: allowed by an administrator, drawn by its owner, kept as a hash."""

    # identity
    name = models.CharField(max_length=40)
    token_hash = models.CharField(max_length=64, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    # what
    scopes = models.JSONField(default=list)
    # where
    street = models.ForeignKey(Street, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # when
    made_at = models.DateTimeField()
    drawn_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # who
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="api_token_once"),
            models.CheckConstraint(condition=Q(revoked_at=None) | Q(token_hash=""), name="api_token_revoked_has_no_key"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("made_at")), name="api_token_ends_after_it_is_made"),
        ]

    def __str__(self) -> str:
        return self.name
