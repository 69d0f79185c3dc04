"""Every page of the site, opened in English by somebody who may: axe-core finds nothing serious, the console nothing at all,
nothing scrolls sideways, and no Chinese is left but data.

The pages are found by walking the routes, so that a new page is looked at without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.apps import apps
from playwright.sync_api import ConsoleMessage, Page

from jiequ.cases.policy import Policy
from tests.access import table
from tests.access.scene import Scene, make_scene
from tests.actors import MovableClock, World
from tests.e2e import rows
from tests.e2e.conftest import Reader
from tests.e2e.measure import too_wide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

IN_WECHAT = "in_wechat"
"""A resident who came in by the official account."""
ACTORS = ("lin", "he", "du", "wu", "chen", "huang", "qu", "xi", "an", "shen", "pan", "zhou", IN_WECHAT)
"""Who is asked to open a page, in this order; the first who may is the one it is looked at with."""
MOVES = ("accept", "dispatch", "close", "handle", "note", "merge", "split")
"""Moves whose form is a page: enough to see every kind of field."""
NAMED = {"insight:matter": "light_red", "insight:indicator": "close_ontime", "web:help_page": "common"}
"""Pages whose name is one of a list: one of them is enough."""
SERIOUS = {"serious", "critical"}
HAN = re.compile(r"[\u3400-\u9fff]")
AXE = Axe()
IN_CHINESE = (
    ".guide-text[lang^=zh], .page-head[lang^=zh]",  # the user guide, which is written in Chinese only and says so
    ".preview-text[lang^=zh], .standard-one [lang^=zh]",  # what a reporter will read, in the reporter's language
    "textarea[lang^=zh], .editions [lang^=zh]",  # the Chinese half of a sentence that is kept in both languages
    ".order-changes [lang^=zh]",  # an order as the hotline wrote it, column names too
)
"""What on an English page is meant to be Chinese. A mark of the language elsewhere hides nothing."""
WORDS = """(selectors) => {
  document.querySelectorAll(selectors).forEach((one) => { one.hidden = true; });
  return document.body.innerText;
}"""
SLOW_DRAWING = re.compile(r"\[\.WebGL-0x[0-9a-f]+\]GL Driver Message \(OpenGL, Performance, GL_CLOSE_PATH_NV, High\): ")
"""What Chromium says of a map where there is no graphics card; any other word of the driver's is a complaint."""
QUOTED = re.compile(r"It says: “[^”]*”")
"""A suggestion's reason: the words of the report itself."""
OPTIONS = {"resultTypes": ["violations"]}
PHONE_FIRST = ("chen", "huang", "zhou", IN_WECHAT)


@pytest.fixture
def scene(world: World, clock: MovableClock, settings: Any) -> Scene:
    rows.switch_on(settings)
    scene = make_scene(world)
    rows.add_rows(scene)
    return scene


def addresses(scene: Scene) -> Iterator[str]:
    """Every GET address with ids of the first street; the forms of some moves."""
    ids = {"variant": "full", "kind": "event", "code": "0110", "source_ref": "none", "key": "closed-done"} | scene.a.ids
    for name, address, _view in table.templates():
        parts = table.parts(address)
        if name == "cases:move":
            yield from (table.filled(address, ids | {"name": move, "number": _at_hand(scene, move)}) for move in MOVES)
        elif name in NAMED:
            yield table.filled(address, {"name": NAMED[name]})
        elif all(part in ids for part in parts):
            yield table.filled(address, ids)


def _at_hand(scene: Scene, move: str) -> str:
    stage = {"accept": "reported", "dispatch": "accepted", "close": "checked", "handle": "handling"}
    return scene.a.cases[stage.get(move, "handling")].number


def pages(scene: Scene) -> Iterator[tuple[str, str]]:
    """(who, address) of every address that answers somebody with a page."""
    clients = {who: rows.resident_in_wechat(scene) if who == IN_WECHAT else scene.world.client(who) for who in ACTORS}
    for address in addresses(scene):
        for who, client in clients.items():
            answer = client.get(address)
            is_page = answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html")
            if is_page and not answer.streaming and b"<html" in answer.content:
                yield who, address
                break


def readers(reader: Reader, scene: Scene, **wanted: Any) -> dict[str, Page]:
    """A browser page for each actor, of the size they work at."""
    people, own = scene.world.people, rows.resident_in_wechat(scene)
    found = {}
    for who in ACTORS:
        size = "phone" if who in PHONE_FIRST else "desk"
        found[who] = reader(person=people.get(who), client=own if who == IN_WECHAT else None, size=size, **wanted)
    return found


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or worse, each with the first place."""
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in SERIOUS]


def test_no_page_has_serious_faults_untranslated_words_or_complaints(reader: Reader, scene: Scene) -> None:
    opened, wrong, told = readers(reader, scene, language="en"), {}, []
    for page in opened.values():
        page.on("console", lambda one: told.append(one.text) if is_complaint(one) else None)
        page.on("pageerror", lambda error: told.append(str(error)))
    data, seen = words_of_the_data(scene), 0
    for who, address in pages(scene):
        opened[who].goto(address, wait_until="load")
        seen += 1
        if found := [*serious(opened[who]), *chinese(opened[who], data), *too_wide(opened[who]), *told]:
            wrong[f"{who} {address}"] = found
        told.clear()
    assert not wrong, "\n".join(f"{where}: {found}" for where, found in wrong.items())
    assert seen >= 60, "the walk finds too few pages"


def chinese(page: Page, data: list[str]) -> list[str]:
    """Lines of an English page with Chinese that is not data."""
    lines = {line.strip() for line in page.evaluate(WORDS, ", ".join(IN_CHINESE)).splitlines() if HAN.search(line)}
    return [line for line in sorted(lines) if HAN.search(without(QUOTED.sub("", line), data))]


def test_the_walk_would_see_a_field_without_a_name_and_a_chinese_word(reader: Reader, scene: Scene) -> None:
    page = reader(person=scene.world.people["lin"], size="desk", language="en")
    page.goto("/cases/")
    page.evaluate("document.querySelector('main').append(document.createElement('input'), '没有译文')")
    marked = "Object.assign(document.createElement('p'), {lang: 'zh-hans', textContent: '也没有'})"
    page.evaluate(f"document.querySelector('main').append({marked})")
    assert any(found.startswith("label") for found in serious(page))
    found = chinese(page, words_of_the_data(scene))
    assert any("没有译文" in line for line in found)
    assert any("也没有" in line for line in found), "a mark of the language is no excuse"


def is_complaint(one: ConsoleMessage) -> bool:
    """Errors and warnings; but the scene's pictures have no files, and without a graphics card drawing is slow."""
    is_ours = "/photos/" not in one.location["url"] and not SLOW_DRAWING.match(one.text)
    return one.type in {"error", "warning"} and is_ours


def words_of_the_data(scene: Scene) -> list[str]:
    """What the scene itself says in Chinese, the longest first: names, words, addresses."""
    found: set[str] = {"中文", "街区", Policy().first_responsible_term}
    for model in apps.get_models():
        for row in model._default_manager.all()[:500].values():
            found.update(part for value in row.values() for part in strings(value) if HAN.search(part))
    return sorted(found, key=len, reverse=True)


def strings(value: Any) -> Iterator[str]:
    """Every text inside a column's value."""
    if isinstance(value, str):
        yield from (line.strip() for line in value.splitlines() if line.strip())
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from strings(part)


def without(line: str, words: list[str]) -> str:
    """The line with every word of the data taken out."""
    for word in words:
        line = line.replace(word, "")
    return line
