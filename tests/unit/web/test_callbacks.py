"""The callbacks' own process answers every address that a proxy leads to it, with the same view, and no other address."""

from __future__ import annotations

from django.urls import get_resolver, resolve

from jiequ.people.access import access_of
from tests.access.table import routes

OWN = "jiequ.web.callbacks"


def test_every_callback_of_the_installation_is_answered_by_the_process_of_callbacks() -> None:
    led_there = {address: view for _name, address, view in routes() if address.startswith("/callbacks/")}
    assert len(led_there) >= 4
    assert {address: resolve(address, OWN).func for address in led_there} == led_there
    own = get_resolver(OWN).url_patterns
    assert len(own) == len(led_there) + 1  # and /healthz


def test_each_address_of_the_process_of_callbacks_is_public() -> None:
    declared = [access_of(one.callback) for one in get_resolver(OWN).url_patterns]
    assert all(access is not None and access.is_open for access in declared)
