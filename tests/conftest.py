"""What every test stands on: one migrated database, no network but this machine's own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.test import TransactionTestCase
from whitenoise.middleware import WhiteNoiseMiddleware

from tests import database
from tests.actors import clock, world  # noqa: F401  (fixtures for every test)
from tests.support.kept import forget_all
from tests.support.kinds import own_kinds  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
hypothesis.settings.register_profile("suite", deadline=None, print_blob=True)  # a test that is slow is not wrong
hypothesis.settings.load_profile("suite")
OWN_ADDRESSES = ("127.", "::1", "localhost")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Instead of pytest-django's: migrate as the owner, work as the application, put back from a template."""
    with django_db_blocker.unblock():
        database.create()
    TransactionTestCase.databases = {"default", "arrivals"}
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: database.reset()
    yield
    TransactionTestCase._fixture_teardown = original


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if host and not str(host).startswith(OWN_ADDRESSES):
            raise AssertionError(f"a test reached for {host}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(scope="session", autouse=True)
def static_files_read_once() -> Iterator[None]:
    """Each test client loads the middleware anew, and WhiteNoise then reads 250 static files: two fifths of a page's test."""
    read, kept = WhiteNoiseMiddleware.add_files_from_finders, {}

    def read_once(middleware: Any) -> None:
        key = (middleware.static_prefix, middleware.max_age, middleware.allow_all_origins)
        if key not in kept:
            read(middleware)
            kept[key] = dict(middleware.files)
        middleware.files.update(kept[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", read_once)
        yield


@pytest.fixture(autouse=True)
def fresh_memory() -> None:
    forget_all()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference data beside the repository; the test is skipped where only the repository was cloned."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder
