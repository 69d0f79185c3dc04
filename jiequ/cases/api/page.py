"""The document as JSON, and as a page that a person reads: our own rendering, nothing from another host."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, override
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from jiequ.people.access import public

from .document import document
from .texts import TAGS

MOST_CHOICES = 16


@lru_cache(maxsize=4)
def _document(language: str) -> dict[str, Any]:
    with override(language):
        return document(settings.BASE_URL)


def _language() -> str:
    return "en" if (get_language() or "").startswith("en") else "zh-hans"


@public
@require_safe
@gzip_page
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document in the reader's language. Anybody may read it: it describes the door and opens nothing."""
    told = HttpResponse(json.dumps(_document(_language()), ensure_ascii=False), content_type="application/json")
    told["Content-Language"] = _language()
    told["Cache-Control"] = "public, max-age=300"
    patch_vary_headers(told, ["Accept-Language", "Cookie"])
    return told


@public
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The same for people: each operation with its fields, an example and a line for curl."""
    found = _document(_language())
    operations = [
        _operation(found, path, method, told) for path, methods in found["paths"].items() for method, told in methods.items()
    ]
    groups = [{"key": tag, "title": TAGS[tag], "operations": [one for one in operations if one["tag"] == tag]} for tag in TAGS]
    used = {one["answer"] for one in operations if one["answer"]}
    context = {
        "info": found["info"],
        "groups": groups,
        "schemas": [_schema(name, schema) for name, schema in found["components"]["schemas"].items() if _is_shown(name, used)],
        "refusals": [
            (name.removeprefix("Refused"), one["description"], one["content"]["application/json"]["example"])
            for name, one in found["components"]["responses"].items()
        ],
        "server": found["servers"][0]["url"],
    }
    return render(request, "cases/api.html", context)


def _is_shown(name: str, used: set[str]) -> bool:
    """What comes out; what goes in stands at its operation."""
    return name in used or name.endswith(("Out", "Row", "Ref"))


def _operation(found: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> dict[str, Any]:
    scheme, scopes = next(iter(told["security"][0].items()))
    bodies: dict[str, dict[str, Any]] = told.get("requestBody", {}).get("content", {})
    kind, content = next(iter(bodies.items()), ("", {}))
    status, done = next((code, one) for code, one in told["responses"].items() if code.startswith("2"))
    answer = next(iter(done["content"].values()))
    example = content.get("example")
    return {
        "id": told["operationId"],
        "tag": told["tags"][0],
        "method": method.upper(),
        "path": path,
        "title": told["summary"],
        "scope": scopes[0] if scopes else "",
        "is_system": scheme == "system",
        "parts": [_part(found, one) for one in told["parameters"]],
        "fields": _fields(_resolved(found, content.get("schema", {}))),
        "body": json.dumps(example, ensure_ascii=False, indent=2) if example is not None else "",
        "status": status,
        "answer": answer["schema"].get("$ref", "").rsplit("/", 1)[-1],
        "curl": _curl(found, path, method, told, kind, example),
    }


def _curl(found: dict[str, Any], path: str, method: str, told: dict[str, Any], kind: str, example: Any) -> str:
    parts = {one["name"]: one["example"] for one in told["parameters"] if one.get("in") == "path"}
    address = found["servers"][0]["url"] + path.format(**parts)
    lines = [f"curl {'-X POST ' if method == 'post' else ''}'{address}'", '-H "Authorization: Bearer $TOKEN"']
    if method == "post":
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    if kind == "application/json":
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(example, ensure_ascii=False)}'"]
    elif kind:
        lines.append("-F photo=@one.jpg")
    return " \\\n  ".join(lines)


def _part(found: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    one = _resolved(found, one)
    return {
        "name": one["name"],
        "place": one["in"],
        "type": _type(one["schema"]),
        "is_required": one["required"],
        "text": one["description"],
    }


def _schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "fields": _fields(schema)}


def _fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(field),
            "schema": _named(field),
            "is_required": name in needed,
            "text": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    """A schema in a word or two."""
    if choices := schema.get("enum"):
        shown = [json.dumps(one, ensure_ascii=False).strip('"') for one in choices[:MOST_CHOICES]]
        return " | ".join(shown) + (" | …" if len(choices) > MOST_CHOICES else "")
    if "const" in schema:
        return json.dumps(schema["const"])
    if parts := schema.get("anyOf"):
        return " | ".join(dict.fromkeys(_type(part) for part in parts))
    if schema.get("type") == "array":
        return f"[{_type(schema['items'])}]"
    if reference := schema.get("$ref"):
        return str(reference.rsplit("/", 1)[-1])
    return str(schema.get("format") or schema.get("type") or "object")


def _named(schema: dict[str, Any]) -> str:
    """The schema a field leads to, if one."""
    for part in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        if reference := part.get("$ref"):
            return str(reference.rsplit("/", 1)[-1])
    return ""


def _resolved(found: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if reference := value.get("$ref"):
        _hash, _components, group, name = reference.split("/")
        resolved: dict[str, Any] = found["components"][group][name]
        return resolved
    return value
