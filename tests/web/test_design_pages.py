"""The pages that belong to nobody else: what they say, to whom, in which language; what every template must hold to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation

from jiequ.core.models import District
from jiequ.web import navigation, shell, words
from jiequ.web.models import Suggestion, SuggestionState
from jiequ.web.templatetags import ui

pytestmark = pytest.mark.django_db
JIEQU = Path(__file__).resolve().parents[2] / "jiequ"
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", re.IGNORECASE)
HX_GET = re.compile(r"<[^>]*\shx-get=[^>]*>")
HX_POST = re.compile(r"<[^>]*\shx-(?:post|put|patch|delete)=[^>]*>")


@pytest.fixture(autouse=True)
def fresh_house() -> None:
    """The house is read again for each test."""
    shell.forget()


def ticket(client: Client) -> str:
    """The ticket of a fresh suggestion form."""
    found = re.search(r'name="ticket" value="([^"]+)"', client.get("/feedback").content.decode())
    assert found
    return found[1]


def test_a_resident_is_told_what_this_is_and_where_to_report(world: Any) -> None:
    text = Client().get("/").content.decode()
    assert "身边的事，拍一张就行" in text
    assert "110" in text
    assert "意见建议" in text


@pytest.mark.parametrize("name", ["lin", "chen", "huang", "he", "xi", "shen"])
def test_staff_are_led_from_the_first_page_to_a_page_that_is_theirs(world: Any, name: str) -> None:
    answer = world.client(name).get("/", follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain


def test_every_page_names_the_sponsor_and_its_filing_number_and_takes_suggestions(world: Any) -> None:
    District.objects.update(sponsor_unit="榕江区政务服务局", filing_number="粤ICP备00000000号")
    shell.forget()
    for path in ("/", "/about", "/feedback", "/style", "/style?frame=desk"):
        text = Client().get(path).content.decode()
        assert "榕江区政务服务局" in text, path
        assert "粤ICP备00000000号" in text, path
        assert 'href="/feedback' in text, path


def test_the_privacy_notice_says_who_what_for_how_long_and_how_to_delete() -> None:
    text = Client().get("/about").content.decode()
    assert all(word in text for word in ("主办单位", "留多久", "怎么查看或删除", "未满 14 岁"))


def test_every_own_page_exists_in_english_without_a_chinese_word(world: Any) -> None:
    client = Client(headers={"accept-language": "en"})
    for path in ("/", "/about", "/feedback", "/style", "/style?frame=desk", "/no-such-page"):
        text = re.sub(r"<title>.*?</title>|>中文<|<span>街区</span>", "", client.get(path).content.decode())
        assert re.findall(r"[\u4e00-\u9fff]+", text) == [], path


def test_a_suggestion_is_kept_without_a_name_and_answered_by_a_private_link(world: Any) -> None:
    client = Client()
    sent = client.post("/feedback", {"text": " 字太小 ", "page": "/about", "ticket": ticket(client)})
    assert sent.status_code == 302
    row = Suggestion.objects.get()
    assert (row.text, row.page, row.state) == ("字太小", "/about", SuggestionState.OPEN)
    assert "还没有答复" in client.get(sent.url).content.decode()
    answered = world.client("xi").post("/suggestions", {"id": row.pk, "text": "下一版改大"})
    assert answered.status_code == 302
    page = Client().get(sent.url)
    assert "下一版改大" in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"
    assert row.token_hash not in sent.url


def test_the_same_suggestion_form_sent_twice_counts_once() -> None:
    client = Client()
    given = {"text": "一次", "page": "/", "ticket": ticket(client)}
    first, second = (client.post("/feedback", given) for _ in range(2))
    assert first.url == second.url
    assert Suggestion.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"text": "  "}, "请写一句话"), ({"text": "字" * 1001}, "最多 1000 个字"), ({"ticket": "forged"}, "这张表太旧了")],
)
def test_a_bad_suggestion_is_refused_with_a_sentence_and_keeps_its_text(change: dict[str, str], sentence: str) -> None:
    client = Client()
    given = {"text": "写过的话", "page": "/", "ticket": ticket(client)} | change
    answer = client.post("/feedback", given)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert given["text"].strip() in answer.content.decode()
    assert Suggestion.objects.count() == 0


def test_suggestions_of_one_address_are_limited_and_the_refusal_says_when_to_come_back() -> None:
    client = Client()
    answers = [client.post("/feedback", {"text": "多", "page": "/", "ticket": ticket(client)}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert Suggestion.objects.count() == 10


@pytest.mark.parametrize("name", ["zhou", "lin", "he", "an", "shen", "wai"])
def test_only_the_system_administrator_reads_and_answers_suggestions(world: Any, name: str) -> None:
    row = Suggestion.objects.create(token_hash="a" * 64, text="请只给管理员看", language="zh-hans", made_at=timezone.now())
    for answer in (
        world.client(name).get("/suggestions"),
        world.client(name).post("/suggestions", {"id": row.pk, "text": "x"}),
    ):
        assert answer.status_code in {302, 403}
        assert "请只给管理员看" not in answer.content.decode()
    row.refresh_from_db()
    assert row.state == SuggestionState.OPEN


def test_a_second_answer_is_refused_and_an_unknown_suggestion_too(world: Any) -> None:
    row = Suggestion.objects.create(token_hash="a" * 64, text="意见", language="zh-hans", made_at=timezone.now())
    client = world.client("xi")
    assert client.post("/suggestions", {"id": row.pk, "text": "一"}).status_code == 302
    assert client.post("/suggestions", {"id": row.pk, "text": "二"}).status_code == 409
    assert client.post("/suggestions", {"id": "9" * 40, "text": "二"}).status_code == 404
    row.refresh_from_db()
    assert row.answer == "一"


def test_the_list_of_suggestions_costs_the_same_for_one_and_for_many(world: Any, django_assert_max_num_queries: Any) -> None:
    rows = [Suggestion(token_hash=f"{n:064}", text="意见", language="en", made_at=timezone.now()) for n in range(60)]
    Suggestion.objects.bulk_create(rows)
    client = world.client("xi")
    client.get("/suggestions")
    with django_assert_max_num_queries(6):
        answer = client.get("/suggestions")
    assert answer.content.count(b"<article") == 50
    assert client.get(f"/suggestions?before={answer.context['more']}").content.count(b"<article") == 10


def test_preferences_come_back_to_our_own_pages_only() -> None:
    client = Client()
    assert client.post("/preferences", {"language": "en", "next": "/about?x=1"}).url == "/about?x=1"
    for foreign in ("https://example.org/", "//example.org", "javascript:alert(1)", ""):
        assert client.post("/preferences", {"care": "1", "next": foreign}).url == "/"
    text = client.get("/about").content.decode()
    assert 'lang="en"' in text
    assert "data-care" in text


def test_a_strange_preference_changes_nothing() -> None:
    answer = Client().post("/preferences", {"language": "xx", "care": "9", "theme": "<b>", "next": "/"})
    assert not answer.cookies


def test_unknown_addresses_and_faults_are_told_in_words() -> None:
    assert "没有找到" in Client().get("/no-such-page").content.decode()
    assert "Something broke on our side" in render_to_string("web/500.html", {"incident": "E1"})


def test_the_style_page_is_not_there_in_production(settings: Any) -> None:
    settings.PRODUCTION = True
    assert Client().get("/style").status_code == 404


def test_small_addresses_answer() -> None:
    assert "Disallow: /" in Client().get("/robots.txt").content.decode()
    assert Client().get("/manifest.webmanifest").json()["short_name"] == "街区"
    assert Client().get("/favicon.ico").url.endswith("icon.svg")


def test_each_light_has_a_shape_and_a_word_of_its_own() -> None:
    drawn = [ui.light(name) for name in ui.LIGHT_WORDS]
    shapes = [re.search(r"#(light-[a-z]+)", one)[1] for one in drawn]  # type: ignore[index]
    texts = [re.search(r"light-word\">([^<]+)<", one)[1] for one in drawn]  # type: ignore[index]
    assert len(set(shapes)) == len(set(texts)) == len(ui.LIGHT_WORDS)
    sprite = (JIEQU / "web/static/web/icons.svg").read_text(encoding="utf-8")
    assert all(f'id="{shape}"' in sprite for shape in shapes)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (JIEQU / "web/static/web/icons.svg").read_text(encoding="utf-8")
    named = {
        name
        for file in JIEQU.rglob("templates/**/*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', file.read_text("utf-8"))
    }
    named |= {entry.icon for entry in (*navigation.PHONE, *navigation.DESK)}
    assert [name for name in sorted(named) if f'id="{name}"' not in sprite] == []


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (-3, "今天 07:00 已超 3 小时", "today 07:00 3 hours late"),
        (0.5, "今天 10:30 还剩 30 分钟", "today 10:30 30 minutes left"),
        (24, "明天 10:00 还剩 24 小时", "tomorrow 10:00 24 hours left"),
        (24 * 9, "3月13日 10:00 还剩 9 天", "13 Mar 10:00 9 days left"),
        (24 * 330, "2027年1月28日 还剩 330 天", "28 Jan 2027 330 days left"),
    ],
)
def test_a_due_time_is_said_as_people_say_it(hours: float, zh: str, en: str) -> None:
    now = timezone.localtime(datetime(2026, 3, 4, 2, 0, tzinfo=UTC))
    for language, said in (("zh-hans", zh), ("en", en)):
        with translation.override(language):
            spoken = words.due(now + timedelta(hours=hours), now)
            assert f"{spoken.when} {spoken.left}" == said


def templates() -> list[tuple[str, str]]:
    """Every template of the product with its text."""
    return [(str(file.relative_to(JIEQU)), file.read_text("utf-8")) for file in sorted(JIEQU.rglob("templates/**/*.html"))]


def test_no_template_has_inline_script_or_style() -> None:
    assert [name for name, text in templates() if INLINE.search(text)] == []
    for bad in ('<p style="x">', "<a onclick=1>", "<script>1</script>", '<b hx-on:click="x">'):
        assert INLINE.search(bad), bad
    assert not INLINE.search('<script src="/a.js" defer></script>')


def test_every_htmx_part_has_an_address_or_a_form_for_readers_without_scripts() -> None:
    wrong = [name for name, text in templates() for tag in HX_GET.findall(text) if not has_plain_way(tag, text)]
    wrong += [
        name
        for name, text in templates()
        for tag in HX_POST.findall(text)
        if not (tag.startswith("<form") and "method=" in tag)
    ]
    assert wrong == []
    assert not has_plain_way('<p hx-get="/x">', "<p hx-get=\"/x\"><a href='/y'>")


def has_plain_way(tag: str, text: str) -> bool:
    """True if the tag is itself a link or form, or the same template links to the address it gets (a part that polls)."""
    address = re.search(r'\shx-get="([^"]+)"', tag)
    return bool(re.search(r"\s(href|action)=", tag)) or bool(address and f'href="{address[1]}"' in text)
