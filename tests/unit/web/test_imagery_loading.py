"""The first pictures of a page are asked for all at once, before the libraries are there: none fails for that."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.sqlite
FIRST_ASKED_AT_ONCE = """
import sys, threading, django
django.setup()
from jiequ.web.tiles import imagery
faults, begin = [], threading.Barrier(8)

def first(number):
    begin.wait()
    try:
        {load}
        if number % 2:
            from rio_tiler.errors import RioTilerError
        from rio_tiler.io import Reader
    except ImportError as fault:
        faults.append(fault)

sys.setswitchinterval(1e-5)
threads = [threading.Thread(target=first, args=(number,)) for number in range(8)]
[one.start() for one in threads], [one.join() for one in threads]
sys.exit(len(faults))
"""


def faults(load: str) -> int:
    return subprocess.run([sys.executable, "-c", FIRST_ASKED_AT_ONCE.format(load=load)], check=False).returncode


def test_many_threads_ask_at_once_and_each_has_the_libraries() -> None:
    assert faults("imagery.load()") == 0


def test_threads_that_load_them_each_by_itself_meet_halfway() -> None:
    assert any(faults("pass") for _ in range(4))
