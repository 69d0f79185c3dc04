"""Reads hostile documents in a process of its own and says what it cost: ``python -m tests.hostile.xml_worker ours|twin``.

One line of JSON: what each document came to, whether the planted word was seen, the rise of the memory's peak in kB, the
slowest in seconds. The twin is the standard library's reader without our bounds.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jiequ.channels.xml import XmlError, read_xml

SECRET = "canary-of-a-file-7f3a"


def documents(folder: Path) -> dict[str, bytes]:
    """The hostile set of RELIABILITY row 14 and its relatives, by name."""
    (folder / "secret").write_text(SECRET)
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    texts = {
        "XXE of a file": f'<!DOCTYPE xml [<!ENTITY x SYSTEM "file://{folder}/secret">]><xml><a>&x;</a></xml>',
        "XXE of an address": '<!DOCTYPE xml [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]><xml><a>&x;</a></xml>',
        "parameter entity": f'<!DOCTYPE xml [<!ENTITY % x SYSTEM "file://{folder}/secret"> %x;]><xml><a>1</a></xml>',
        "billion laughs": f'<!DOCTYPE xml [<!ENTITY a0 "ha">{laughs}]><xml><a>&a9;</a></xml>',
        "quadratic": f'<!DOCTYPE xml [<!ENTITY a "{"x" * 30_000}">]><xml><a>{"&a;" * 8_000}</a></xml>',
        "a document type of elsewhere": '<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml><a>1</a></xml>',
        "a document type, dressed up": "<?xml version='1.0'?><!-- <xml> -->\n<!DOCTYPE\nxml><xml><a>1</a></xml>",
        "an entity that nobody declared": "<xml><a>&secret;</a></xml>",
        "XInclude": f'<xml xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file://{folder}/secret"/></xml>',
        "200,000 nested": "<xml>" + "<a>" * 200_000 + "</a>" * 200_000 + "</xml>",
        "nested within the size": "<xml>" + "<a>" * 9_000 + "</a>" * 9_000 + "</xml>",
        "many elements": "<xml>" + "<a/>" * 15_000 + "</xml>",
        "10 MB": "<xml><a>" + "x" * 10_000_000 + "</a></xml>",
        "wrong root": "<html><xml><a>1</a></xml></html>",
        "two roots": "<xml><a>1</a></xml><xml><a>2</a></xml>",
        "cut off": "<xml><a>1</a>",
        "JSON": '{"MsgType": "text"}',
        "no elements": "<xml>text</xml>",
        "nothing": "",
    }
    odd = {
        "bad UTF-8": b"<xml><a>\xff\xfe\xfd</a></xml>",
        "UTF-16 with a document type": texts["XXE of a file"].encode("utf-16"),
        "UTF-7 announced": b"<?xml version='1.0' encoding='utf-7'?><xml><a>+ADw-</a></xml>\xff",
        "zero bytes": b"<xml><a>\0</a></xml>",
    }
    return {name: text.encode() for name, text in texts.items()} | odd


def peak_kb() -> int:
    """The most memory this process has held since the last ``forget``."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def forget_peak() -> None:
    """Begin the peak anew."""
    Path("/proc/self/clear_refs").write_text("5")


def twin(body: bytes) -> dict[str, Any]:
    """The reader without bounds."""
    return {element.tag: element.text for element in ElementTree.fromstring(body).iter()}


def run(read: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    """Read them all; what came of it."""
    read(b"<xml><a>1</a></xml>")
    outcomes, slowest = {}, 0.0
    with tempfile.TemporaryDirectory() as folder:
        bodies = documents(Path(folder))
        forget_peak()
        before = peak_kb()
        for name, body in bodies.items():
            began = time.perf_counter()
            try:
                outcomes[name] = f"read: {str(read(body))[:200]}"
            except XmlError as fault:
                outcomes[name] = f"refused: {fault}"
            except Exception as fault:
                outcomes[name] = f"broke: {type(fault).__name__}"
            slowest = max(slowest, time.perf_counter() - began)
    leaks = [name for name, said in outcomes.items() if SECRET in said]
    return {"outcomes": outcomes, "leaks": leaks, "rise_kb": peak_kb() - before, "slowest_seconds": slowest}


if __name__ == "__main__":
    print(json.dumps(run(read_xml if sys.argv[1] == "ours" else twin)))
