"""使用说明: everybody opens their own page, all pages can be read by all, and Markdown brings no HTML of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from jiequ.web import guide
from tests.actors import World, client_of

pytestmark = pytest.mark.django_db


def test_a_resident_reads_the_residents_page_and_finds_it_from_every_page() -> None:
    home = Client().get("/").content.decode()
    assert 'href="/help"' in home
    page = Client().get("/help").content.decode()
    assert "<h1>居民：上报、查进度、评价</h1>" in page
    assert f'href="/help/common#{quote("网络不好时")}"' in page
    assert '<h2 id="网络不好时">' in Client().get("/help/common").content.decode()


@pytest.mark.parametrize(
    ("person", "title", "frame"),
    [
        ("lin", "坐席：受理员、派遣员、值班长", "desk"),
        ("he", "街道领导", "phone"),
        ("chen", "网格员：巡查、核实、核查", "phone"),
        ("huang", "处置人员、部门负责人", "phone"),
    ],
)
def test_everybody_reads_the_page_of_their_own_post(world: World, person: str, title: str, frame: str) -> None:
    page = client_of(getattr(world, person)).get("/help").content.decode()
    assert f"<h1>{title}</h1>" in page
    assert f'<body class="{frame}"' in page
    assert 'href="/help/README"' in page


def test_every_page_opens_and_every_picture_is_served() -> None:
    for name in guide.names():
        page = Client().get(f"/help/{name}").content.decode()
        pictures = re.findall(r'<img src="/static/(guide-thumbs/[^"]+)" alt="[^"]+" width="\d+" height="\d+"', page)
        whole = re.findall(r'<a href="/static/(guide/[^"]+)"><picture><source media="[^"]+" srcset="/static/\1"', page)
        assert page.count("<img ") == len(pictures) == len(whole)
        pictures += whole
        assert all(finders.find(picture) for picture in pictures)
        links = {link.partition("#")[0] for link in re.findall(r'href="(/help/[^"]+)"', page)}
        assert all(Client().get(link).status_code == 200 for link in links)


@pytest.mark.parametrize("name", ["nothing", "README.en", "..", "pictures"])
def test_what_is_no_page_is_not_found(name: str) -> None:
    assert Client().get(f"/help/{name}").status_code == 404


def test_an_english_reader_is_told_that_the_guide_is_in_chinese() -> None:
    page = Client(headers={"accept-language": "en"}).get("/help").content.decode()
    assert "This guide is in Chinese only." in page
    assert '<article class="guide-text" lang="zh-hans">' in page


def test_markdown_brings_no_html_of_its_own(tmp_path: Path, settings: Any) -> None:
    settings.GUIDE_FOLDER = tmp_path
    guide.names.cache_clear()
    try:
        text = '# A\n\n<script>x()</script> <b onclick="x()">y</b> [z](javascript:x)\n'
        (tmp_path / "evil.md").write_text(text, encoding="utf-8")
        page = guide.page("evil")
    finally:
        guide.names.cache_clear()
        guide.page.cache_clear()
    assert "<script" not in page.html
    assert "<b " not in page.html
    assert "href" not in page.html
