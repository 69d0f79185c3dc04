"""Examples of the document: invented, and such that a reader sees at once what goes where."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel

PARTS: dict[str, Any] = {
    "number": "LG-2026-000123",
    "proof_id": 17,
    "report_id": 42,
    "event_id": 4711,
    "source_ref": "cam-2026-0001",
}
VALUES: dict[str, Any] = {
    "version": 3,
    "condition_id": 12,
    "lead_id": 3,
    "assist_ids": [5],
    "department_ids": [5],
    "department_id": 9,
    "person_id": 21,
    "text": "已到现场",  # data
    "reply": "垃圾已清走，谢谢反映。",  # data
    "question": "这段护栏归谁修？",  # data
    "words": "井盖破了",  # data
    "title": "河边垃圾",  # data
    "into": "LG-2026-000120",
    "group": "8c1f",
    "answer_by": "2026-03-05T10:00:00+08:00",
    "until": "2026-03-20",
    "kind": "extend",
    "satisfaction": 5,
    "score": 4,
    "source_ref": "cam-2026-0001",
}
REPORT: dict[str, Any] = {
    "words": "井盖破了",  # data
    "lon": 113.5005,
    "lat": 23.1805,
    "system": "wgs84",
    "type": "0110",
    "seen_at": "2026-03-04T10:00:00+08:00",
}
ANSWERS: dict[str, dict[str, Any]] = {
    "MovedOut": {
        "ok": True,
        "number": "LG-2026-000123",
        "version": 4,
        "state": "dispatched",
        "event": 4711,
        "undo_until": "2026-03-04T02:00:10Z",
        "made": None,
        "url": "/api/v1/cases/LG-2026-000123",
    },
    "OpenedOut": {
        "ok": True,
        "number": "LG-2026-000123",
        "version": 1,
        "state": "reported",
        "report": 42,
        "url": "/api/v1/cases/LG-2026-000123",
    },
    "ReportedOut": {
        "ok": True,
        "source_ref": "cam-2026-0001",
        "number": "LG-2026-000123",
        "received_at": "2026-03-04T02:00:05Z",
        "url": "/api/v1/reports/cam-2026-0001",
    },
}


def body_of(one: dict[str, Any]) -> dict[str, Any]:
    """What is sent: for a report a whole one, else what must be there and what is usual."""
    if one["name"] == "report":
        return {"source_ref": "cam-2026-0001"} | REPORT
    if one["name"] == "open_case":
        return REPORT
    shape: type[BaseModel] = one["body"]
    return {
        name: _value(name, field.annotation)
        for name, field in shape.model_fields.items()
        if field.is_required() or name in {"text", "assist_ids"}
    }


def _value(name: str, kind: Any) -> Any:
    choices = [one for one in get_args(kind) if isinstance(one, str)]
    if choices:
        return choices[0]
    if kind is bool:
        return True
    return 0.5 if kind is float else VALUES[name]


def answer_of(one: dict[str, Any]) -> dict[str, Any] | None:
    """What comes back, where a short example says more than the schema."""
    return ANSWERS.get(one["answer"].__name__)
