"""The official account's followers, what is said to them, and how our notices fill its templates."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from jiequ.people.models import Person

from .rules import FormKind, SaidState


class Follower(models.Model):
    """Somebody as the account knows them: an openid, sealed. They follow it, or once did, or only came through its web sign-in.

    ``message_*`` and ``touch_*``: the windows in which customer-service messages may be sent, as far as we can tell (a message
    opens 48 hours for five, a menu tap, a follow or a scan a minute for three).
    """

    appid = models.CharField(max_length=64)
    openid_sealed = models.TextField()
    openid_blind = models.CharField(max_length=64)

    is_following = models.BooleanField(default=False)
    followed_at = models.DateTimeField(null=True)
    unfollowed_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    message_until = models.DateTimeField(null=True)
    message_left = models.PositiveSmallIntegerField(default=0)
    touch_until = models.DateTimeField(null=True)
    touch_left = models.PositiveSmallIntegerField(default=0)

    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="wechat_followers")
    bound_at = models.DateTimeField(null=True)
    tag = models.CharField(max_length=20, blank=True, help_text="the menu the platform was last told to show them")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appid", "openid_blind"], name="wechat_follower_once"),
            models.UniqueConstraint(fields=["appid", "person"], name="wechat_one_account_a_person"),
        ]


class Said(models.Model):
    """A customer-service message to a follower: sealed while it waits, gone when it has been sent or refused."""

    key = models.CharField(max_length=200, unique=True)
    follower = models.ForeignKey(Follower, on_delete=models.CASCADE)
    body_sealed = models.TextField(blank=True)

    state = models.CharField(max_length=8, default=SaidState.WAITING)
    error = models.CharField(max_length=60, blank=True)
    queued_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)


class TemplateForm(models.Model):
    """How notices fill one template of the account: ``fields`` names a source for each field (``{"thing2": "type"}``).

    ``kind``: of template messages, or of subscription notices, which their reader admits beforehand: one each time, or
    (``is_lasting``) until they take it back.
    ``notice``: the notice's own template, or empty for every one of its ``group``. Of several the first that can be filled is
    used, by ``turn``. ``fault``: what the platform last refused about it; mended by saving it anew.
    """

    template_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, default=FormKind.TEMPLATE, db_default=FormKind.TEMPLATE.value)
    is_lasting = models.BooleanField(default=False, db_default=False)
    title = models.CharField(max_length=64)
    content = models.TextField(blank=True, help_text="as the platform shows it, with its labels")
    group = models.CharField(max_length=12)
    notice = models.CharField(max_length=60, blank=True)
    fields = models.JSONField(default=dict)
    turn = models.PositiveSmallIntegerField(default=0)

    is_active = models.BooleanField(default=True)
    fault = models.CharField(max_length=120, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["turn", "id"]
        constraints = [
            models.UniqueConstraint(fields=["template_id", "kind", "group", "notice"], name="wechat_form_once"),
            models.CheckConstraint(condition=~Q(template_id=""), name="wechat_form_has_template"),
        ]


class Grant(models.Model):
    """Subscription notices of one template that a follower has admitted: ``left`` of them, or each until they take it back."""

    follower = models.ForeignKey(Follower, on_delete=models.CASCADE, related_name="grants")
    template_id = models.CharField(max_length=64)
    left = models.PositiveSmallIntegerField(default=0)
    is_lasting = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["follower", "template_id"], name="wechat_grant_once")]
