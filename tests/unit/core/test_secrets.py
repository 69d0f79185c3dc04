"""Sealed texts: nobody reads them without the ring, and a rotation loses nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from jiequ.core import secrets
from jiequ.core.models import District

OLD, NEW = "k1:" + "11" * 32, "k2:" + "22" * 32
PHONE = "13800138000"


def test_a_sealed_phone_opens_for_its_purpose_and_shows_nothing_of_itself() -> None:
    sealed = secrets.seal(PHONE, "report.phone")
    assert secrets.unseal(sealed, "report.phone") == PHONE
    assert PHONE not in sealed
    assert secrets.seal(PHONE, "report.phone") != sealed


def test_a_value_copied_into_a_column_of_another_purpose_does_not_open() -> None:
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(secrets.seal(PHONE, "report.phone"), "people.totp")


def test_no_changed_character_goes_unnoticed() -> None:
    sealed = secrets.seal("张三", "report.name")
    opened = []
    for place in range(len(sealed)):
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        try:
            opened.append(secrets.unseal(changed, "report.name"))
        except secrets.SealBroken:
            continue
    assert opened == []


@pytest.mark.parametrize("value", ["", "k1", "k1.", "k1.x", "k9.AAAA", "k1.!!!!", "张三"])
def test_what_was_never_sealed_is_told_as_broken(value: str) -> None:
    with pytest.raises(secrets.SealBroken):
        secrets.unseal(value, "report.phone")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    with override_settings(DATA_KEYS=OLD):
        sealed, found = secrets.seal(PHONE, "report.phone"), secrets.blind(PHONE, "report.phone")
    with override_settings(DATA_KEYS=f"{NEW},{OLD}"):
        assert secrets.unseal(sealed, "report.phone") == PHONE
        assert secrets.seal(PHONE, "report.phone").startswith("k2.")
        assert secrets.blind(PHONE, "report.phone") == found, "look-ups must survive the rotation"


def test_the_look_up_survives_the_removal_of_the_oldest_key_once_it_is_pinned() -> None:
    with override_settings(DATA_KEYS=f"{NEW},{OLD}"):
        found, pinned = secrets.blind(PHONE, "report.phone"), secrets.blind_key_hex()
    with override_settings(DATA_KEYS=NEW):
        assert secrets.blind(PHONE, "report.phone") != found, "without the pin it would be lost: the control of this test"
    with override_settings(DATA_KEYS=NEW, BLIND_KEY=pinned):
        assert secrets.blind(PHONE, "report.phone") == found


def test_the_same_phone_looks_different_in_two_purposes_and_purpose_and_text_do_not_run_together() -> None:
    assert secrets.blind(PHONE, "report.phone") != secrets.blind(PHONE, "people.phone")
    assert secrets.blind("b", "a") != secrets.blind("", "ab")


@pytest.mark.parametrize("keys", ["", "k1", "k1:00", f"{OLD},{OLD}", "K1:" + "11" * 32, "k1:" + "zz" * 32])
def test_a_ring_that_cannot_be_used_is_refused_by_its_name(keys: str) -> None:
    with override_settings(DATA_KEYS=keys), pytest.raises(ImproperlyConfigured, match="JIEQU_DATA_KEYS"):
        secrets.check_keys()
    with override_settings(DATA_KEYS=OLD, BLIND_KEY="short"), pytest.raises(ImproperlyConfigured, match="JIEQU_BLIND_KEY"):
        secrets.check_keys()


@pytest.fixture
def sealed_column(monkeypatch: pytest.MonkeyPatch) -> str:
    """A text column of core stands in for the sealed columns that other apps register."""
    monkeypatch.setattr(secrets, "_COLUMNS", {})
    secrets.sealed_column("core.District", "sponsor_unit", "test.sponsor")
    return "sponsor_unit"


def _district(number: int, **fields: Any) -> District:
    return District.objects.create(name_zh="测试区", code6=f"44010{number}", **fields)


@pytest.mark.django_db
def test_the_rotation_seals_every_registered_value_anew_and_leaves_empty_ones(sealed_column: str) -> None:
    with override_settings(DATA_KEYS=OLD):
        for number in range(3):
            _district(number, sponsor_unit=secrets.seal(f"秘密{number}", "test.sponsor"))
        _district(9)
    with override_settings(DATA_KEYS=f"{NEW},{OLD}"):
        assert secrets.stale_values() == 3
        assert secrets.reseal() == 3
        assert (secrets.stale_values(), secrets.reseal()) == (0, 0)
    with override_settings(DATA_KEYS=NEW):
        values = District.objects.order_by("code6").values_list("sponsor_unit", flat=True)
        assert [value and secrets.unseal(value, "test.sponsor") for value in values] == ["秘密0", "秘密1", "秘密2", ""]


@pytest.mark.django_db
def test_one_broken_value_does_not_stop_the_rotation_and_is_named(sealed_column: str) -> None:
    with override_settings(DATA_KEYS=OLD):
        broken = _district(0, sponsor_unit="k1.not-sealed")
        good = _district(1, sponsor_unit=secrets.seal("好", "test.sponsor"))
    with override_settings(DATA_KEYS=f"{NEW},{OLD}"), pytest.raises(secrets.SealBroken, match=f"row {broken.pk}"):
        secrets.reseal()
    good.refresh_from_db()
    assert good.sponsor_unit.startswith("k2.")
