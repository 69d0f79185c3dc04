"""Pictures of the ground: the flight that brought them, the file on its way in, the picture as it is kept."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AssetKind(models.TextChoices):
    """What a picture shows and how: one photo, a mosaic in map geometry, heights, a fixed camera's view."""

    PHOTO = "photo", _("单张照片")
    ORTHO = "ortho", _("正射影像")
    DSM = "dsm", _("地表高程")
    SNAPSHOT = "snapshot", _("固定视角抓拍")


class AssetState(models.TextChoices):
    """How far a picture has come."""

    WAITING = "waiting", _("排队中")
    WORKING = "working", _("处理中")
    READY = "ready", _("可用")
    UNUSABLE = "unusable", _("不能用")


class Source(models.TextChoices):
    """How a picture came in."""

    UPLOAD = "upload", _("上传")
    FOLDER = "folder", _("文件夹")
    NODEODM = "nodeodm", _("拼图服务器")
    CAMERA = "camera", _("固定摄像头")
    DEMO = "demo", _("演示")


class Flight(models.Model):
    """One flight (架次) or one round of a camera: what is said once of all its pictures."""

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    flown_on = models.DateField()
    aircraft = models.CharField(max_length=80, blank=True)
    pilot = models.CharField(max_length=40, blank=True, help_text="as the flight log names whoever flew; may be empty")
    note = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-flown_on", "-id"]
        constraints = [models.UniqueConstraint(fields=["street", "flown_on", "name"], name="sense_flight_name")]

    def __str__(self) -> str:
        return self.name


class Asset(models.Model):
    """One picture: where its files lie, what is known of it, or why it cannot be used. Nothing that came in is dropped."""

    # identity
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    flight = models.ForeignKey(Flight, null=True, on_delete=models.PROTECT, related_name="assets")
    point = models.ForeignKey("grid.MonitoringPoint", null=True, on_delete=models.SET_NULL, related_name="+")
    camera = models.ForeignKey("sense.Camera", null=True, on_delete=models.SET_NULL, related_name="snapshots")
    kind = models.CharField(max_length=8, choices=AssetKind.choices, blank=True, help_text="empty until it was looked at")
    name = models.CharField(max_length=200, help_text="the file's own name")
    source = models.CharField(max_length=8, choices=Source.choices)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    # state
    state = models.CharField(max_length=8, choices=AssetState.choices, default=AssetState.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=40, blank=True, help_text="why it cannot be used: a code of sense.words")
    reason_facts = models.JSONField(default=dict, blank=True)
    # what is known
    taken_at = models.DateTimeField(null=True)
    gsd_m = models.FloatField(null=True, help_text="metres on the ground that one pixel shows")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    bands = models.PositiveSmallIntegerField(default=0)
    epsg = models.PositiveIntegerField(null=True)
    aircraft = models.CharField(max_length=80, blank=True)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)
    footprint = models.JSONField(null=True, blank=True)
    low = models.FloatField(null=True, help_text="stretch of the first band on the map: heights, 16-bit")
    high = models.FloatField(null=True)
    item = models.JSONField(default=dict, blank=True, help_text="the STAC item")
    # when, who
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    ready_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["street", "-id"], name="sense_asset_newest"),
            models.Index(fields=["street", "state", "-taken_at"], name="sense_asset_ready"),
            models.Index(fields=["point", "-taken_at"], name="sense_asset_point"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=AssetState.values), name="sense_asset_state"),
            models.CheckConstraint(condition=~Q(state="unusable") | ~Q(reason=""), name="sense_asset_unusable_says_why"),
            models.UniqueConstraint(
                fields=["street", "sha256"], condition=~Q(sha256="") & ~Q(state="unusable"), name="sense_asset_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """A file on its way in: how much of it is stored for sure. The row, not the file's length, is what counts."""

    token = models.CharField(max_length=43, unique=True, help_text="stands in its address; opens nothing by itself")
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    flight = models.ForeignKey(Flight, null=True, on_delete=models.SET_NULL, related_name="+")
    point = models.ForeignKey("grid.MonitoringPoint", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=8, blank=True)
    name = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    asset = models.OneToOneField(Asset, null=True, on_delete=models.SET_NULL, related_name="upload")
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField()
    touched_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["touched_at"], name="sense_upload_touched")]
        constraints = [
            models.CheckConstraint(
                condition=Q(received__gte=0, received__lte=models.F("size_bytes"), size_bytes__gt=0), name="sense_upload_within"
            )
        ]
