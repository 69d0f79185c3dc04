"""What is said: in both languages, from the facts alone, and never with a hole in it."""

from __future__ import annotations

from itertools import combinations

import pytest

from jiequ.channels import texts
from jiequ.channels.rules import ALLOWED_FACTS

FACTS = {
    "number": "LG-2026-000123",
    "type": {"zh-hans": "河道堵塞", "en": "Blocked river"},
    "grid": "990101001001001",
    "due": "2026-03-04T10:00:00+00:00",
}
SUBSETS = [dict(some) for size in range(1, 5) for some in combinations(FACTS.items(), size) if "number" in dict(some)]


@pytest.mark.parametrize("template", texts.TEMPLATES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_template_says_something_whole_whatever_facts_there_are(template: str, language: str) -> None:
    for facts in SUBSETS:
        text = texts.render(template, facts, language)
        assert text.title
        assert text.body
        assert "{" not in text.title + text.body
        assert "None" not in text.body
        assert len(texts.as_sms(template, facts, language)) < 400


@pytest.mark.parametrize("template", texts.TEMPLATES)
def test_every_template_has_english(template: str) -> None:
    text = texts.render(template, FACTS, "en")
    assert not any("\u4e00" <= character <= "\u9fff" for character in text.title + text.body), text


@pytest.mark.parametrize("template", texts.TEMPLATES)
def test_a_template_asks_for_nothing_but_the_four_facts(template: str) -> None:
    for sentence in texts.TEMPLATES[template].sentences:
        assert texts._names(str(sentence)) <= ALLOWED_FACTS


def test_residents_read_plain_words_with_local_time() -> None:
    assert texts.as_sms("reporter_accepted", FACTS, "zh-hans") == (
        "您反映的“河道堵塞”（LG-2026-000123）已受理，下一步派给负责单位。"
        "承诺 3月4日 18:00 前办结。可凭编号和手机号后四位查询进度。"
    )
    assert texts.as_sms("reporter_accepted", FACTS, "en") == (
        "“Blocked river” (LG-2026-000123), which you reported, is accepted. Next we send it to the responsible unit. "
        "We promise to finish by 2026-03-04 18:00. "
        "You can look up progress with the number and the last four digits of your phone."
    )


def test_a_report_without_a_type_still_has_its_number() -> None:
    assert texts.render("new_report", {"number": "LG-2026-000123"}, "zh-hans").body == "LG-2026-000123（类型待定）。"


def test_every_class_of_failure_has_plain_words() -> None:
    for error in ("nobody_there", "unreachable", "no_port", "job_failed", "receipt_failed", "bad_number", "timeout"):
        assert "（" not in texts.reason(error)
    assert texts.reason("http_500") == "通道出错（http_500）"
