"""What the walks open beside the access tests' scene: a partner, a template, versions, imagery, and people who see them."""

from __future__ import annotations

from typing import Any

from django.test import Client

from jiequ.channels.wechat.models import TemplateForm
from jiequ.channels.wechat.services import follower_of
from jiequ.core.models import District
from jiequ.doors.open311.models import Partner
from jiequ.doors.wechat_pages.config import account_of
from jiequ.people.models import Person, Post
from jiequ.people.rules import Role
from jiequ.sense.models import Asset
from jiequ.triage.models import Version
from tests.access.scene import Scene
from tests.actors import NOW, SINCE, hashed_password
from tests.support.accounts import client_of_account

OWN = "openid-of-the-walk"
CARD = {
    "macro_f1": 0.91, "accuracy": 0.93, "calibration_error": 0.018, "n": 640, "seed": 7, "temperature": 1.4,
    "thresholds": {"fill": 0.82, "preselect": 0.55}, "coverage": [{"coverage": 0.9, "accuracy": 0.95}],
    "per_type": [{"code": "0110", "n": 40, "precision": 0.9, "recall": 0.9, "f1": 0.9}],
    "drift_base": {"unknown": 0.02, "confidence": 0.8}, "from": "2026-01-01T00:00:00+08:00",
}  # fmt: skip


def switch_on(settings: Any) -> None:
    """An installation with an official account and WeCom; neither is ever called."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET, settings.WECHAT_TOKEN = "wx0000000000000001", "s" * 32, "walk"
    settings.WECOM_CORPID, settings.WECOM_AGENTID, settings.WECOM_SECRET = "ww0000000000000001", "1000002", "s" * 32


def add_rows(scene: Scene) -> None:
    """Ids for the addresses that the scene has none for; 潘, who reads imagery."""
    side = scene.a
    partner = Partner.objects.create(
        name="邻区平台", base_url="https://example.org/open311/v2", street_id=side.street_id, made_at=NOW
    )
    form = TemplateForm.objects.create(
        template_id="t1",
        title="工单处理通知",
        content="No.:{{character_string1.DATA}}\nType:{{thing2.DATA}}",
        group="staff",
        fields={"character_string1": "number", "thing2": "type"},
        changed_at=NOW,
    )
    version = Version.objects.create(
        kind="type", number=1, district_code=District.objects.get().code6, standing="champion", name="type-1.npz",
        sha256="0" * 64, size_bytes=1_100_000, examples=640, corrections=12, card=CARD, made_at=NOW, used_since=NOW,
    )  # fmt: skip
    asset = Asset.objects.create(
        street_id=side.street_id, name="第一轮.tif", source="upload", size_bytes=9_000_000, state="unusable",
        reason="no_crs", made_at=NOW,
    )  # fmt: skip
    side.ids |= {"partner_id": partner.pk, "form_id": form.pk, "version_id": version.pk, "asset_id": asset.pk}
    scene.world.people["pan"] = _analyst(side.street_id)


def _analyst(street_id: int) -> Person:
    person = Person.objects.create(
        username="pan", name="潘析", phone="13900000077", street_id=street_id, account="staff", password=hashed_password(),
        created_at=NOW,
    )  # fmt: skip
    Post.objects.create(person=person, account="staff", role=Role.ANALYST.value, street_id=street_id, starts_on=SINCE)
    return person


def resident_in_wechat(scene: Scene) -> Client:
    """A browser that came in by the official account; the closed case is among its own since its link was opened there."""
    browser = client_of_account(account_of(follower_of(OWN, at=NOW).pk))
    assert browser.get(f"/r/{scene.a.tokens['closed']}/", follow=True).status_code == 200
    return browser
