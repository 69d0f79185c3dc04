"""Personal data goes before strangers read; what is no personal data stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiequ.triage.engine.masking import mask

PERSONAL = [
    *(("请打13812345678", "13812345678", "phone"), ("电话０５５１-８５５５１２３４", "０５５１-８５５５１２３４", "phone")),
    *(("打138-1234-5678", "138-1234-5678", "phone"), ("证件11010519491231002X", "11010519491231002X", "id")),
    *(("打到4111111111111111", "4111111111111111", "card"), ("车牌粤B12345堵门", "粤B12345", "plate")),
    *(("粤BD12345挡路", "粤BD12345", "plate"), ("写信a.b@example.com", "a.b@example.com", "email")),
    *(("加微信abc_12345", "abc_12345", "account"), ("我叫王小明，住这里", "王小明", "name")),
    *(("找李建国先生问", "李建国", "name"), ("5栋1203房漏水", "1203房", "room"), ("二栋三单元1202", "1202", "room")),
]


@pytest.mark.parametrize(("text", "personal", "kind"), PERSONAL)
def test_personal_data_is_taken_out_and_named_by_its_kind(text: str, personal: str, kind: str) -> None:
    masked = mask(text)
    assert personal not in masked.text
    (found,) = masked.found
    assert (found.kind, text[found.start : found.end].rstrip("室房")) == (kind, personal.rstrip("室房"))


@pytest.mark.parametrize(
    "text",
    [
        "2019年3月12日12:30开始",
        "打12345热线",
        "12栋楼下",
        "编号LG-2026-000123",
        "路灯编号00123456",
        "和谐社区",
        "1栋1000元",
        "110、119",
        "",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert mask(text).text == text


def test_what_the_desk_keeps_stays() -> None:
    assert mask("请拨打0551-85551234", keep={"0551-85551234"}).text == "请拨打0551-85551234"


@settings(max_examples=60)
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from([text for text, *_rest in PERSONAL]))).map("".join))
def test_masking_twice_changes_no_more_than_once(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


def test_a_hundred_thousand_signs_are_borne() -> None:
    for sign in ("1", "王", "a.", "0-", "单元 ", "😀"):
        mask(sign * 100_000)
