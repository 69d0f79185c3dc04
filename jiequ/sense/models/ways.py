"""Ways in besides a file of one's own: a server that makes a mosaic of a flight's photos, a camera that stands still."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from jiequ.core.secrets import sealed_column

from .imagery import Asset, Flight

TOKEN_PURPOSE, PASSWORD_PURPOSE = "sense.odm-token", "sense.camera-password"


class OdmServer(models.Model):
    """A NodeODM server (拼图服务器) that the system administrator named: photos of every street may go there."""

    name = models.CharField(max_length=40)
    url = models.CharField(max_length=500)
    token_sealed = models.TextField(blank=True)
    tried_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=60, blank=True, help_text="engine and version as it told them last")
    trouble = models.CharField(max_length=40, blank=True, help_text="why the last try came to nothing: a code")
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], condition=Q(ended_at=None), name="sense_odm_server_name")]

    def __str__(self) -> str:
        return self.name


class Mosaic(models.Model):
    """A flight's photos on their way to an orthophoto and a surface model on a server; remembered by the task's uuid there."""

    class State(models.TextChoices):
        WAITING = "waiting", _("排队中")
        SENDING = "sending", _("正在送照片")
        RUNNING = "running", _("服务器在拼")
        FETCHING = "fetching", _("正在取结果")
        DONE = "done", _("完成")
        FAILED = "failed", _("没有完成")
        STOPPED = "stopped", _("已停止")

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    flight = models.ForeignKey(Flight, on_delete=models.PROTECT, related_name="mosaics")
    server = models.ForeignKey(OdmServer, on_delete=models.PROTECT, related_name="+")
    uuid = models.CharField(max_length=36, blank=True, help_text="of the task there; empty until it was given")
    tried = models.JSONField(default=list, blank=True, help_text="every uuid under which sending was begun, oldest first")
    photos = models.PositiveIntegerField(default=0)
    # how far
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=40, blank=True, help_text="why the last try came to nothing; it is tried again")
    reason = models.CharField(max_length=40, blank=True)
    said = models.CharField(max_length=200, blank=True, help_text="the server's own words of why it failed")
    # what came out
    ortho = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="+")
    dsm = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="+")
    # when, who
    asked_at = models.DateTimeField()
    asked_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "running", "fetching", "done", "failed", "stopped"]),
                name="sense_mosaic_state",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="sense_mosaic_failed_says_why"),
            models.UniqueConstraint(
                fields=["flight"],
                condition=Q(state__in=["waiting", "sending", "running", "fetching"]),
                name="sense_mosaic_once",
            ),
        ]


class Camera(models.Model):
    """A camera that stands still over a monitoring point; a picture is fetched from a folder or by HTTP every so often."""

    class Way(models.TextChoices):
        HTTP = "http", _("网址")
        FOLDER = "folder", _("文件夹")

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    point = models.ForeignKey("grid.MonitoringPoint", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)
    way = models.CharField(max_length=6, choices=Way.choices)
    address = models.CharField(max_length=500, help_text="an address, or a folder below JIEQU_SENSE_CAMERAS")
    login = models.CharField(max_length=60, blank=True)
    password_sealed = models.TextField(blank=True)
    every_minutes = models.PositiveIntegerField()
    # how it goes
    next_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when a usable picture came last")
    latest = models.ForeignKey(Asset, null=True, on_delete=models.SET_NULL, related_name="+")
    read_to = models.CharField(max_length=260, blank=True, help_text="folder: time and name of the newest file that was taken")
    is_on = models.BooleanField(default=True)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], condition=Q(is_on=True), name="sense_camera_due")]
        constraints = [
            models.UniqueConstraint(fields=["street", "name"], name="sense_camera_name"),
            models.CheckConstraint(condition=Q(way__in=["http", "folder"]), name="sense_camera_way"),
            models.CheckConstraint(condition=Q(every_minutes__gte=5), name="sense_camera_not_too_often"),
        ]

    def __str__(self) -> str:
        return self.name


class CameraFault(models.Model):
    """Something that kept a camera's picture from being used, from the first time to the last in a row."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="faults")
    code = models.CharField(max_length=40, help_text="a code of sense.words")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    is_open = models.BooleanField(default=True, help_text="no usable picture came since")

    class Meta:
        indexes = [models.Index(fields=["camera", "-last_at"], name="sense_camera_fault")]
        constraints = [
            models.UniqueConstraint(fields=["camera"], condition=Q(is_open=True), name="sense_camera_fault_open"),
        ]


sealed_column("sense.OdmServer", "token_sealed", TOKEN_PURPOSE)
sealed_column("sense.Camera", "password_sealed", PASSWORD_PURPOSE)
