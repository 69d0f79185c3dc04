"""Hostile XML does nothing (RELIABILITY row 14), honest XML is read whole, and no text leaves the CDATA of an answer."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiequ.channels.xml import XmlError, many, read_xml, write_xml

MOST_RISE_KB = 5_000


def _cost(reader: str, root: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.hostile.xml_worker", reader]
    return json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)


def test_every_hostile_document_is_refused_and_costs_nothing(pytestconfig: pytest.Config) -> None:
    found = _cost("ours", pytestconfig.rootpath)
    assert {name for name, said in found["outcomes"].items() if not said.startswith("refused")} == {"XInclude"}
    assert "include" in found["outcomes"]["XInclude"]  # an element like any other: nothing is fetched for it
    assert found["leaks"] == []
    assert found["rise_kb"] < MOST_RISE_KB


def test_a_reader_without_bounds_fails_the_same_test(pytestconfig: pytest.Config) -> None:
    found = _cost("twin", pytestconfig.rootpath)
    assert found["rise_kb"] > MOST_RISE_KB
    assert found["outcomes"]["many elements"].startswith("read")


def test_every_published_push_is_read(shared: Path) -> None:
    samples = json.loads((shared / "data/wechat/xml_samples.json").read_text(encoding="utf-8"))
    read = {name: read_xml(one["xml"].encode()) for name, one in samples.items()}
    assert len(read) >= 36
    assert all({"ToUserName", "FromUserName", "CreateTime", "MsgType"} <= set(fields) for fields in read.values())
    assert read["mp:TEMPLATESENDJOBFINISH"]["Status"] == "success"
    assert [
        one["SubscribeStatusString"] for one in many(read["mp:subscribe_msg_popup_event"]["SubscribeMsgPopupEvent"]["List"])
    ] == [
        "accept",
        "reject",
    ]
    assert len(many(read["mp:subscribe_msg_change_event"]["SubscribeMsgChangeEvent"]["List"])) == 1


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufffe\uffff\r"), max_size=60)


@given(WORDS, st.sampled_from(["", "]]>", "]]>]]>", "]]><MsgType>text</MsgType><![CDATA["]))
def test_no_text_leaves_its_element(text: str, attack: str) -> None:
    given = {"Content": text + attack + text, "Info": {"Count": 2, "Item": ["一", "]]>"]}}
    assert read_xml(write_xml(given).encode()) == {
        "Content": text + attack + text,
        "Info": {"Count": "2", "Item": ["一", "]]>"]},
    }


def test_what_xml_cannot_say_is_left_out_and_a_name_is_never_a_strangers() -> None:
    assert read_xml(write_xml({"Content": "a\x00\x08b\ud800c\ufffe"}).encode()) == {"Content": "abc"}
    with pytest.raises(ValueError):
        write_xml({"a><b": "1"})


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(XmlError):
        assert isinstance(read_xml(b"<xml>" + body + b"</xml>"), dict)
