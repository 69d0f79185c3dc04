"""The map of a street: communities, unit grids, responsibility grids, monitoring points, places, map features.

Positions are CGCS2000 degrees; a pair that came in another system is kept beside them, raw, with its system.
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .rules import CoordinateSystem


class PointKind(models.TextChoices):
    """What watches a monitoring point: a drone's pose, a fixed camera, an officer on foot."""

    DRONE = "drone", _("无人机")
    CAMERA = "camera", _("固定摄像头")
    FOOT = "foot", _("徒步巡查")


class RiskClass(models.TextChoices):
    """How closely a monitoring point is watched."""

    HIGH = "high", _("高风险")
    MEDIUM = "medium", _("中风险")
    LOW = "low", _("低风险")


class PlaceKind(models.TextChoices):
    """What a resident names when saying where something is."""

    ROAD = "road", _("道路")
    ESTATE = "estate", _("小区")
    VILLAGE = "village", _("村庄")
    RIVER = "river", _("河涌")
    LANDMARK = "landmark", _("地标")


class FeatureKind(StrEnum):
    """What the synthetic base map draws, from the bottom up."""

    WATER = "water"
    RIVER = "river"
    PARK = "park"
    BUILDING = "building"
    LANE = "lane"
    ROAD = "road"
    TRUNK = "trunk"


class System(models.TextChoices):
    """The coordinate systems a pair of numbers may come in."""

    CGCS2000 = CoordinateSystem.CGCS2000.value, _("CGCS2000（国家大地坐标系）")
    WGS84 = CoordinateSystem.WGS84.value, _("WGS-84（卫星定位、无人机）")
    GCJ02 = CoordinateSystem.GCJ02.value, _("GCJ-02（微信、腾讯、高德）")
    BD09 = CoordinateSystem.BD09.value, _("BD-09（百度）")


def _one_of(field: str, choices: type[models.TextChoices], name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=name)


def _on_earth(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(lon__range=(-180, 180), lat__range=(-90, 90)), name=name)


class Located(models.Model):
    """A position: canonical pair, tile key, and the pair as it was given with its system."""

    lon = models.FloatField()
    lat = models.FloatField()
    q18 = models.BigIntegerField(db_index=True)
    raw_x = models.FloatField()
    raw_y = models.FloatField()
    raw_system = models.CharField(max_length=8, choices=System.choices, default=System.CGCS2000)

    class Meta:
        abstract = True


class Community(models.Model):
    """A community (社区, 村) of a street: the first 12 digits of its unit grids' codes; the outline is drawn from them."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    code12 = models.CharField(max_length=12)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=120, blank=True)
    outline = models.JSONField(default=dict)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["code12"]
        constraints = [models.UniqueConstraint(fields=["code12"], name="grid_community_code12")]

    def __str__(self) -> str:
        return self.name_zh


class UnitGrid(models.Model):
    """A unit grid (单元网格), about 1 ha; a redrawn or removed one is retired, never deleted, because cases point to it."""

    code15 = models.CharField(max_length=15)
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    community = models.ForeignKey(Community, on_delete=models.PROTECT, related_name="unit_grids")
    geometry = models.JSONField()
    lon = models.FloatField()
    lat = models.FloatField()
    area_m2 = models.FloatField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["code15"]
        indexes = [models.Index(fields=["street", "code15"], name="grid_unit_street_code")]
        constraints = [
            models.UniqueConstraint(fields=["code15"], condition=Q(retired_at__isnull=True), name="grid_unit_code15_in_force"),
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="grid_unit_has_area"),
            _on_earth("grid_unit_on_earth"),
        ]

    def __str__(self) -> str:
        return self.code15


class ResponsibilityGrid(models.Model):
    """A responsibility grid (责任网格): a named set of unit grids with one worker."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    unit_grids = models.ManyToManyField(UnitGrid, through="GridMember", related_name="responsibility_grids")
    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="responsibility_grids"
    )
    version = models.PositiveIntegerField(default=1)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["street", "name"], condition=Q(retired_at__isnull=True), name="grid_responsibility_name_in_force"
            )
        ]

    def __str__(self) -> str:
        return self.name


class GridMember(models.Model):
    """One unit grid of a responsibility grid; a unit grid has at most one."""

    responsibility_grid = models.ForeignKey(ResponsibilityGrid, on_delete=models.CASCADE, related_name="members")
    unit_grid = models.OneToOneField(UnitGrid, on_delete=models.CASCADE, related_name="member")


class MonitoringPoint(Located):
    """A point that is looked at again and again, by a drone, a camera or on foot."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=PointKind.choices)
    area = models.CharField(max_length=60, blank=True)
    risk_class = models.CharField(max_length=8, choices=RiskClass.choices, default=RiskClass.MEDIUM)
    unit_grid = models.ForeignKey(UnitGrid, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["street", "code"], name="grid_point_code"),
            _one_of("kind", PointKind, "grid_point_kind"),
            _one_of("risk_class", RiskClass, "grid_point_risk"),
            _on_earth("grid_point_on_earth"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Place(Located):
    """A road, estate, village or landmark by the names people use for it; a landmark stands beside one of the others."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="places")
    kind = models.CharField(max_length=8, choices=PlaceKind.choices)
    name = models.CharField(max_length=80)
    aliases = models.JSONField(default=list, blank=True)
    words = models.TextField(help_text="name and aliases in small letters, one a line: what a search looks through")
    line = models.TextField(blank=True, default="", help_text="a road's or river's course, coarse: grid.lines.packed")
    beside = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="landmarks")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["community_id", "kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["community", "kind", "name"], name="grid_place_name"),
            _one_of("kind", PlaceKind, "grid_place_kind"),
            _on_earth("grid_place_on_earth"),
        ]

    def __str__(self) -> str:
        return self.name


class MapFeature(models.Model):
    """Something the base map draws: no more than a sketch for finding one's way, never a survey."""

    street = models.ForeignKey("core.Street", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in FeatureKind])
    name = models.CharField(max_length=60, blank=True)
    geometry = models.JSONField()

    class Meta:
        ordering = ["id"]


class MapVersion(models.Model):
    """A token that changes with every change of a street's grids: processes compare it and reload their index."""

    street = models.OneToOneField("core.Street", on_delete=models.CASCADE, related_name="+", primary_key=True)
    token = models.CharField(max_length=43)
    changed_at = models.DateTimeField()
