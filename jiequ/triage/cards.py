"""A model card as its page shows it: what the trainer wrote, with names instead of codes. What is missing is left out."""

from __future__ import annotations

from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from . import running, words
from .models import Version


def card_of(version: Version) -> dict[str, Any]:
    """Facts, figures, classes, coverage, drift."""
    card = version.card
    base, weighed = card.get("drift_base", {}), card.get("figures", {})
    return {
        "facts": [(label, value) for label, value in _facts(version, card) if value not in ("", None)],
        "figures": [
            *((label, _number(card.get(name))) for name, label in _figures() if card.get(name) is not None),
            *((label, _number(weighed.get(name))) for name, label in _weighed() if weighed.get(name) is not None),
        ],
        "classes": _classes(card),
        "coverage": [_covered(row) for row in card.get("coverage", [])],
        "drift": [(label, _number(base.get(name))) for name, label in _drifts() if base.get(name) is not None],
    }


def _facts(version: Version, card: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        (_("案件从"), _moment(card.get("from") or card.get("first_at"))),
        (_("案件到"), _moment(card.get("to") or card.get("last_at"))),
        (_("学了多少件"), version.examples),
        (_("其中更正"), version.corrections),
        (_("退单"), card.get("returns")),
        (_("部门数"), card.get("departments")),
        (_("评估用了"), card.get("n")),
        (_("文件"), f"{version.name} · {version.size_bytes / 1024:.0f} KB" if version.name else ""),
        ("SHA-256", version.sha256[:16]),
        (_("填入的门槛"), _number(card.get("thresholds", {}).get("fill"))),
        (_("标出的门槛"), _number(card.get("thresholds", {}).get("preselect"))),
        (_("温度"), _number(card.get("temperature"))),
        (_("随机种子"), card.get("seed")),
    ]


def _figures() -> list[tuple[str, str]]:
    return [
        ("macro_f1", _("宏平均 F1")),
        ("accuracy", _("准确率")),
        ("calibration_error", _("校准误差")),
        ("top1", _("第一个就对")),
        ("top3", _("前三个里有")),
    ]


def _weighed() -> list[tuple[str, str]]:
    """Of a version that was compared with the one in use: macro-F1 of both on the same folds."""
    return [("challenger", _("F1，这一版")), ("champion", _("F1，当时在用的"))]


def _drifts() -> list[tuple[str, str]]:
    return [("unknown", _("不认识的字词")), ("confidence", _("平均把握"))]


def _classes(card: dict[str, Any]) -> list[dict[str, Any]]:
    names = running.type_names()
    rows = card.get("per_type", [])
    return [
        {
            "code": row["code"],
            "name": names.get(row["code"]) or words.type_name(row["code"]),
            "n": row.get("n", 0),
            "precision": _number(row.get("precision")),
            "recall": _number(row.get("recall")),
            "f1": _number(row.get("f1")),
            "share": row.get("f1") or 0,
        }
        for row in sorted(rows, key=lambda one: -one.get("n", 0))
    ]


def _covered(row: dict[str, Any]) -> dict[str, str]:
    return {
        "coverage": _percent(row.get("coverage")),
        "accuracy": _percent(row.get("accuracy")),
    }


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else ""


def _percent(value: Any) -> str:
    return f"{100 * value:.1f} %" if isinstance(value, int | float) else ""


def _moment(value: Any) -> Any:
    text = str(value or "")
    return parse_datetime(text) or text
