"""The emulator stands alone, and its connection faults are those of networks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulator import plain, scene
from emulator.app import Emulator
from emulator.clock import Clock
from emulator.store import Person
from emulator.testing import Strings, in_a_thread
from tests.emulator import http
from tests.emulator.product import Product, errcode

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/cgi-bin/menu/get"


def imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def at_top_of(file: Path) -> Iterator[str]:
    """Names of a module's functions and constants; what is decorated is found by its decorator."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name))


def test_the_emulator_imports_nothing_of_the_product_nor_of_its_framework() -> None:
    strange = {name for file in (ROOT / "emulator").rglob("*.py") for name in imported(file)} - sys.stdlib_module_names
    assert strange == {"PIL", "cryptography", "emulator", "h11", "httpx", "prcoords", "pytest", "segno"}


def test_every_word_of_the_page_has_its_english() -> None:
    folder = ROOT / "emulator" / "phones"
    scripts = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.js") if file.name != "words.js")
    page = (folder / "index.html").read_text(encoding="utf-8")
    used = set(re.findall(r'\b_\("([^"]+)"', scripts))
    used |= set(re.findall(r"data-word[^>]*>([^<]+)<", page)) | set(re.findall(r'(?:aria-label|title)="([^"]+)"', page))
    used |= {role for _id, _name, role, _colour, _userid in scene.PEOPLE}
    known = set(re.findall(r'^  "([^"]+)": "', (folder / "words.js").read_text(encoding="utf-8"), re.MULTILINE))
    assert used - known == set()
    assert not re.search(r'(?<!_\()"[^"\n]*[\u4e00-\u9fff][^"\n]*"', re.sub(r"(?m)^\s*(/\*\*|\*|//).*$", "", scripts))


def test_it_imports_where_the_product_cannot_be_imported() -> None:
    code = "import sys; sys.modules['jiequ'] = sys.modules['django'] = None; import emulator.command, emulator.app"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_restart_keeps_accounts_chats_and_files(tmp_path: Path) -> None:
    file = tmp_path / "emulator.json"
    with in_a_thread(lambda: Emulator(clock=Clock(), file=file)) as first:
        first.does("zhou", "follow")
        first.does("zhou", "send_photo")
        before = first.chat("zhou")
        state = first.ask("GET", "/state")
    with in_a_thread(lambda: Emulator(clock=Clock(), file=file)) as second:
        assert second.chat("zhou") == before
        after = second.ask("GET", "/state")
        photo = http.get(f"{second.base}/mp/media/{before[-1]['data']['media_id']}").content
    assert photo == scene.picture("street")
    assert {name: state[name] for name in ("people", "accounts", "corps")} == {
        name: after[name] for name in ("people", "accounts", "corps")
    }


def test_fields_a_file_lacks_take_their_defaults(tmp_path: Path) -> None:
    file = tmp_path / "emulator.json"
    file.write_text('{"people": {"a": {"id": "a", "name": "甲"}}}')
    found = plain.load(file)
    assert found
    assert (found.people["a"].colour, found.accounts) == (Person("a", "甲").colour, {})


@pytest.mark.parametrize("text", ["", "[]", '{"people": {"a": {"colour": "red"}}}', "{" + '"a": {' * 100_000])
def test_a_file_that_cannot_be_read_is_written_over(tmp_path: Path, text: str) -> None:
    file = tmp_path / "emulator.json"
    file.write_text(text)
    assert plain.load(file) is None
    with in_a_thread(lambda: Emulator(clock=Clock(), file=file)) as strings:
        strings.does("zhou", "follow")
    kept = plain.load(file)
    assert kept
    assert kept.people["zhou"].following[scene.APPID].is_following


def test_nothing_is_written_that_nobody_uses() -> None:
    files = [file for folder in ("emulator", "tests/emulator") for file in (ROOT / folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    used = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {one.name for node in nodes if isinstance(node, ast.ImportFrom) for one in node.names}
    written = {name for file in (ROOT / "emulator").rglob("*.py") for name in at_top_of(file)}
    assert len(written) > 300
    assert written - used == {"main"}  # of the command, which ./run calls


# --- faults in answers


def ask(product: Product, timeout: float = 5) -> httpx.Response:
    return product.http.get(product.base + PATH, params={"access_token": product.token()["access_token"]}, timeout=timeout)


def test_an_error_is_answered_as_often_as_planted(emulator: Strings, product: Product) -> None:
    emulator.fault("errcode", "/api/cgi-bin/menu/*", times=2, errcode=-1, errmsg="system error")
    assert [errcode(ask(product).json()) for _call in range(3)] == [-1, -1, 46003]


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_status_is_answered_without_json(emulator: Strings, product: Product, status: int) -> None:
    emulator.fault("status", PATH, status=status)
    answer = ask(product)
    assert answer.status_code == status
    with pytest.raises(ValueError):
        answer.json()


@pytest.mark.parametrize("kind", ["bad_json", "empty"])
def test_an_answer_is_no_json(emulator: Strings, product: Product, kind: str) -> None:
    emulator.fault(kind, PATH)
    answer = ask(product)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()


def test_a_connection_is_reset(emulator: Strings, product: Product) -> None:
    emulator.fault("reset", PATH)
    with pytest.raises(httpx.ReadError):
        ask(product)


def test_an_answer_ends_in_the_middle(emulator: Strings, product: Product) -> None:
    emulator.fault("half", PATH)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(product)


def test_an_answer_never_comes(emulator: Strings, product: Product) -> None:
    emulator.fault("hang", PATH)
    with pytest.raises(httpx.ReadTimeout):
        ask(product, timeout=0.3)


def test_an_answer_drips(emulator: Strings, product: Product) -> None:
    emulator.fault("drip", PATH, seconds=0.02)
    began = time.monotonic()
    assert ask(product).json()["errcode"] == 0
    assert time.monotonic() - began > 0.4


def test_an_answer_is_late(emulator: Strings, product: Product) -> None:
    emulator.fault("latency", PATH, seconds=0.3)
    began = time.monotonic()
    assert errcode(ask(product).json()) == 46003
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("kind", ["reset", "status", "half", "errcode"])
def test_the_deed_may_be_done_although_its_answer_went_wrong(emulator: Strings, product: Product, kind: str) -> None:
    emulator.does("zhou", "follow")
    emulator.fault(kind, "/api/cgi-bin/message/custom/send", after=True)
    given = {"touser": emulator.openid("zhou"), "msgtype": "text", "text": {"content": "好"}}
    try:
        answer = product.http.post(
            f"{product.base}/api/cgi-bin/message/custom/send",
            params={"access_token": product.token()["access_token"]},
            json=given,
        )
        assert answer.status_code == 500 or errcode(answer.json()) == -1
    except httpx.HTTPError:
        assert kind in ("reset", "half")
    assert emulator.chat("zhou")[-1]["data"]["text"] == "好"


def test_connections_are_refused_for_a_while(emulator: Strings, product: Product) -> None:
    emulator.ask("POST", "/refuse", seconds=0.4)
    time.sleep(0.15)
    with pytest.raises(httpx.ConnectError), httpx.Client() as fresh:
        fresh.get(product.base + "/api/cgi-bin/token")
    give_up_at = time.monotonic() + 5
    while time.monotonic() < give_up_at:
        try:
            assert http.get(product.base + "/api/cgi-bin/token").status_code == 200
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail("it did not come back")


def test_what_was_asked_is_written_down(emulator: Strings, product: Product) -> None:
    product.post("/cgi-bin/menu/create", {"button": []})
    entry = emulator.transcript(path="/menu/create")[-1]
    assert (entry["way"], entry["service"], entry["body"], entry["answer"]["errcode"]) == ("in", "api", {"button": []}, 40016)


def test_a_page_of_another_site_cannot_pull_the_strings(emulator: Strings) -> None:
    for headers in ({"origin": "http://evil.example"}, {"host": "evil.example"}):
        assert http.post(f"{emulator.base}/_emu/reset", json={}, headers=headers).status_code == 403
    assert "zhou" in emulator.ask("GET", "/state")["people"]
    assert http.get(f"{emulator.base}/_emu/clock", headers={"origin": emulator.base}).status_code == 200
