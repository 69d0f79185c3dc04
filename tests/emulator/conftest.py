"""An emulator for the whole folder, and a callback address that stands for the product."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from tests.emulator.callback import Callback, listening
from tests.emulator.product import Product


@pytest.fixture
def callback() -> Iterator[Callback]:
    """A server that writes down what is pushed to it and answers as told."""
    with listening() as found:
        yield found


@pytest.fixture
def product(emulator: Strings) -> Iterator[Product]:  # noqa: F811
    """Somebody who calls the account's API with a token."""
    found = Product(emulator.base)
    yield found
    found.close()
