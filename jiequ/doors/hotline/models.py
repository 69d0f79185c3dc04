"""What passes between a hotline and us: the source, its orders, our letters, its call-backs."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WayOut(models.TextChoices):
    """How letters go to a hotline."""

    NONE = "none", _("不回传（人工登记）")
    HTTP = "http", _("HTTP 推送")
    FILES = "files", _("文件夹")


class Source(models.Model):
    """A hotline that sends orders: its token is an outside system's, of one street or (none) of the district."""

    # identity
    slug = models.SlugField(max_length=40, unique=True, help_text="in addresses and folders; never changes")
    system = models.OneToOneField("cases.OutsideSystem", on_delete=models.PROTECT, related_name="hotline")
    # what
    map_text = models.TextField(blank=True, help_text="TOML: which field is what, and what their words mean here")
    takes_files = models.BooleanField(default=False)
    way_out = models.CharField(max_length=5, choices=WayOut.choices, default=WayOut.NONE)
    out_url = models.CharField(max_length=500, blank=True)
    out_key_sealed = models.TextField(blank=True)
    return_minutes = models.PositiveSmallIntegerField(default=60)
    formulas = models.JSONField(default=dict, blank=True)
    satisfied_from = models.PositiveSmallIntegerField(default=4)
    # when, who
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    paused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(way_out__in=list(WayOut)), name="hotline_way_out_known"),
            models.CheckConstraint(condition=Q(satisfied_from__range=(1, 5)), name="hotline_satisfied_one_to_five"),
            models.CheckConstraint(condition=~Q(way_out="http") | ~Q(out_url=""), name="hotline_http_has_address"),
        ]

    def __str__(self) -> str:
        return self.slug


class Order(models.Model):
    """One content of an order that a source sent: taken, refused, or another content for a number that was taken."""

    class State(models.TextChoices):
        TAKEN = "taken", _("已收")
        REFUSED = "refused", _("拒收")
        UPDATE = "update", _("有改动，待决定")
        SETTLED = "settled", _("改动已采纳")
        DISMISSED = "dismissed", _("改动未采纳")

    # identity
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="orders")
    number = models.CharField(max_length=100, blank=True)
    said_hash = models.CharField(max_length=64, help_text="tells a repeat from another content")
    # what
    state = models.CharField(max_length=9, choices=State.choices)
    case = models.ForeignKey("cases.Case", null=True, on_delete=models.PROTECT, related_name="hotline_orders")
    content_sealed = models.TextField(blank=True)
    reason = models.CharField(max_length=300, blank=True)
    due_at = models.DateTimeField(null=True, help_text="the limit printed on it")
    times = models.PositiveIntegerField(default=1)
    is_end_told = models.BooleanField(default=False, help_text="the hotline was told that its case ended unasked")
    # where from
    file = models.CharField(max_length=200, blank=True)
    line = models.PositiveIntegerField(default=0)
    # when, who
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "-id"], name="hotline_order_newest"),
            models.Index(fields=["source", "first_at"], condition=Q(state="taken"), name="hotline_order_taken_at"),
            models.Index(fields=["last_at"], condition=~Q(content_sealed=""), name="hotline_order_to_forget"),
            models.Index(fields=["case"], condition=Q(state="update"), name="hotline_order_to_decide"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "number", "said_hash"], name="hotline_order_once_a_content"),
            models.UniqueConstraint(fields=["source", "number"], condition=Q(state="taken"), name="hotline_order_taken_once"),
            models.CheckConstraint(condition=~Q(state="taken") | Q(case__isnull=False), name="hotline_taken_has_case"),
        ]


class Letter(models.Model):
    """What we tell or ask a hotline: the same bytes under one key at each try, and what it answered."""

    class Kind(models.TextChoices):
        RETURN = "return", _("请求退回")
        EXTEND = "extend", _("请求延期")
        CLOSE = "close", _("答复并请求结案")
        ENDED = "ended", _("告知已结束")
        PING = "ping", _("测试")

    class State(models.TextChoices):
        WAITING = "waiting", _("等待")
        DELIVERED = "delivered", _("已送达")
        NOT_DELIVERED = "not_delivered", _("没有送达")
        WITHDRAWN = "withdrawn", _("已撤回")

    # identity
    key = models.CharField(max_length=40, unique=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="letters")
    task_id = models.BigIntegerField(null=True, help_text="the open question of the case")
    # what
    case = models.ForeignKey("cases.Case", null=True, on_delete=models.PROTECT, related_name="hotline_letters")
    number = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    body_sealed = models.TextField(blank=True)
    # how far
    state = models.CharField(max_length=14, choices=State.choices, default=State.WAITING)
    round = models.PositiveIntegerField(default=0, help_text="counts tries; names the job")
    tries = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True)
    answer = models.CharField(max_length=3, blank=True, help_text="yes, no, or none yet")
    answer_hash = models.CharField(max_length=64, blank=True)
    # when
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "-id"], name="hotline_letter_newest"),
            models.Index(fields=["case", "id"], name="hotline_letter_by_case"),
            models.Index(fields=["state"], condition=Q(state="not_delivered"), name="hotline_letter_lost"),
            models.Index(fields=["ended_at"], condition=~Q(body_sealed=""), name="hotline_letter_to_forget"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["task_id"], condition=Q(task_id__isnull=False), name="hotline_letter_once_a_question"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None) | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="hotline_letter_ended_has_time",
            ),
        ]


class Visit(models.Model):
    """One call-back by the hotline: whether it reached somebody, and what they said of the result."""

    # identity
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="visits")
    ref = models.CharField(max_length=100)
    said_hash = models.CharField(max_length=64)
    # what
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="hotline_visits")
    contacted = models.BooleanField(null=True)
    solved = models.BooleanField(null=True)
    satisfaction = models.PositiveSmallIntegerField(null=True)
    words_sealed = models.TextField(blank=True)
    # when
    at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["case", "-at"], name="hotline_visit_by_case"),
            models.Index(fields=["received_at"], condition=~Q(words_sealed=""), name="hotline_visit_to_forget"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "ref"], name="hotline_visit_once"),
            models.CheckConstraint(
                condition=Q(satisfaction__isnull=True) | Q(satisfaction__range=(1, 5)), name="hotline_visit_one_to_five"
            ),
        ]
