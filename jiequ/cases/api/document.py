"""The OpenAPI 3.1 document of the programs' door, in the reader's language, made from the code that answers.

Ninja knows the addresses and the answers; what an operation reads, its scope and its title stand on the view
(``door.described``, ``door.by_token``); each move has an operation of its own, made from its form. docs/openapi.json is a
copy that a test compares, so that a change others would feel is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from django.utils.translation import gettext as _
from pydantic.json_schema import models_json_schema

from jiequ.people.rules import ApiScope

from .. import words
from ..forms import FORMS
from . import samples
from .bodies import BODIES
from .case_shapes import MovedOut
from .door import STATUSES, api
from .shapes import RefusedOut, Schema
from .texts import FIELDS, REFUSALS, SCOPES, TAGS

VERSION = "1.0.0"
PREFIX = "/api/v1"
MOVES = "/cases/{number}/moves/{move}"
REF = "#/components/schemas/{model}"
FORM_TYPE = "multipart/form-data"
_NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 40}}


def document(server: str) -> dict[str, Any]:
    """The whole document as plain values."""
    operations = list(_operations())
    used = [RefusedOut, *(one for o in operations for one in (o["body"], o["answer"]) if one)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _("街区接口"),
            "version": VERSION,
            "summary": _("办理案件的每一步，都可由程序完成。"),
            "description": _about(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{server}{PREFIX}"}],
        "tags": [{"name": name, "description": str(text)} for name, text in TAGS.items()],
        "paths": _paths(operations),
        "components": {
            "securitySchemes": _schemes(),
            "parameters": _parameters(),
            "responses": {f"Refused{status}": _refusal(status) for status in STATUSES},
            "schemas": _schemas(used),
        },
    }


def _about() -> str:
    return _(
        "在 Authorization 请求头里带上 Bearer 令牌；浏览器的登录不能调用接口。每个 POST 可带 Idempotency-Key："
        "同一个键重复发送只办一次，回同样的字节；键用于别的内容是 422；被拒绝时什么都不存。"
        "看不到的和不存在的都是 404，看得到但不能办的是 403。每个拒绝都是同一个形状。"
        "上报人的姓名和电话不从接口给出。文字用 Accept-Language 的语言（中文或英文）。"
    )


# -- operations ------------------------------------------------------------------------------------------------------


def _operations() -> Iterator[dict[str, Any]]:
    """Every operation: path, method, view, scope, what it reads and answers; a move each for its form."""
    for _prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for found in view.operations:
                one = _operation(path, found)
                yield from (_move(one, name) for name in FORMS) if path == MOVES else (one,)


def _operation(path: str, found: Any) -> dict[str, Any]:
    view = found.view_func
    status, answer = next((code, shape) for code, shape in found.response_models.items() if code < 300)
    return {
        "path": re.sub(r"\{(?:int|str):", "{", path),
        "method": found.methods[0].lower(),
        "name": view.__name__,
        "title": str(view.title),
        "text": " ".join((view.__doc__ or "").split()),
        "scope": getattr(found.auth_callbacks[0], "scope", None),
        "query": view.query,
        "body": view.body,
        "status": status,
        "answer": _shape_of(answer),
        "int_parts": re.findall(r"\{int:(\w+)\}", path),
    }


def _shape_of(answer: Any) -> type[Schema] | None:
    shape = answer.__annotations__.get("response") if answer else None
    return shape if isinstance(shape, type) and issubclass(shape, Schema) else None


def _move(one: dict[str, Any], name: str) -> dict[str, Any]:
    changes = {"path": f"/cases/{{number}}/moves/{name}", "name": f"move_{name}", "title": str(words.MOVES[name])}
    return one | changes | {"body": BODIES[name], "answer": MovedOut, "text": ""}


def _paths(operations: list[dict[str, Any]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one["path"], {})[one["method"]] = _told(one)
    return paths


def _told(one: dict[str, Any]) -> dict[str, Any]:
    is_post = one["method"] == "post"
    told: dict[str, Any] = {
        "operationId": one["name"],
        "tags": [_tag(one)],
        "summary": one["title"],
        "parameters": [*_path_parts(one), *_query(one["query"]), *_shared("Language", *(("Once",) if is_post else ()))],
        "responses": _answers(one),
        "security": [{"token": [one["scope"].value]} if one["scope"] else {"system": []}],
    }
    if is_post:
        told["requestBody"] = _body(one)
    return told


def _tag(one: dict[str, Any]) -> str:
    if one["scope"] is None:
        return "systems"
    if one["name"].startswith("move_") or one["name"] in {"undo", "rate"}:
        return "moves"
    return {ApiScope.CASES_READ: "cases", ApiScope.REPORTS_WRITE: "reports"}.get(one["scope"], "reference")


def _path_parts(one: dict[str, Any]) -> list[dict[str, Any]]:
    parts = []
    for name in re.findall(r"\{(\w+)\}", one["path"]):
        whole = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        schema = whole if name in one["int_parts"] else {"type": "string", "minLength": 1, "maxLength": 100}
        sample = samples.PARTS[name]
        text = str(FIELDS[name])
        parts.append({"name": name, "in": "path", "required": True, "description": text, "schema": schema, "example": sample})
    return parts


def _query(shape: type[Schema] | None) -> list[dict[str, Any]]:
    if shape is None:
        return []
    schema = _plain(shape)
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "description": str(FIELDS[name]),
         "schema": _without_null(field)}
        for name, field in schema["properties"].items()
    ]  # fmt: skip


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: it is left out."""
    real = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
    kept = {name: value for name, value in field.items() if name not in {"anyOf", "title"} and value is not None}
    return (real[0] if real else {}) | kept


def _shared(*names: str) -> list[dict[str, Any]]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _body(one: dict[str, Any]) -> dict[str, Any]:
    if one["name"] == "upload":
        photo = {"type": "string", "format": "binary", "description": str(FIELDS["photo"])}
        schema = {"type": "object", "required": ["photo"], "properties": {"photo": photo}, "additionalProperties": False}
        return {"required": True, "content": {FORM_TYPE: {"schema": schema}}}
    reference = {"$ref": REF.format(model=one["body"].__name__)}
    content: dict[str, Any] = {"application/json": {"schema": reference, "example": samples.body_of(one)}}
    return {"required": True, "content": content}


def _answers(one: dict[str, Any]) -> dict[str, Any]:
    if one["answer"] is None:
        content = {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}
    else:
        kind = "application/geo+json" if one["name"] == "grids" else "application/json"
        content = {kind: {"schema": {"$ref": REF.format(model=one["answer"].__name__)}}}
        if example := samples.answer_of(one):
            content[kind]["example"] = example
    done = {"description": _("办好了"), "content": content}
    refused = {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in STATUSES}
    return {str(one["status"]): done, **refused}


# -- components ------------------------------------------------------------------------------------------------------


def _schemes() -> dict[str, Any]:
    scopes = "; ".join(f"`{scope}` {text}" for scope, text in SCOPES.items())
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": _("一个人的或程序账号的令牌（jq_ 开头）。权限范围：%(scopes)s") % {"scopes": scopes},
        },
        "system": {"type": "http", "scheme": "bearer", "description": _("外部系统的令牌，只能上报和查自己的上报。")},
    }


def _parameters() -> dict[str, Any]:
    return {
        "Once": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": _("16 至 128 位字母、数字或 _ . : -，保存 48 小时。"),
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{16,128}$"},
        },
        "Language": {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "description": _("文字的语言。"),
            "schema": {"type": "string", "enum": ["zh-hans", "en"], "default": "zh-hans"},
        },
    }


def _refusal(status: int) -> dict[str, Any]:
    text, example = REFUSALS[status]
    schema = {"schema": {"$ref": REF.format(model="RefusedOut")}, "example": example | {"message": str(example["message"])}}
    told: dict[str, Any] = {"description": str(text), "content": {"application/json": schema}}
    if status == 429:
        told["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": _("几秒后再来")}}
    return told


def _schemas(used: list[type[Schema]]) -> dict[str, Any]:
    pairs: list[tuple[Any, Any]] = [(shape, _mode(shape)) for shape in dict.fromkeys(used)]
    _map, found = models_json_schema(pairs, ref_template=REF)
    schemas: dict[str, Any] = found["$defs"]
    return {name: _described(schemas[name]) for name in sorted(schemas)}


def _mode(shape: type[Schema]) -> str:
    return "serialization" if shape.__name__.endswith("Out") else "validation"


def _plain(shape: type[Schema]) -> dict[str, Any]:
    """The schema of a query, nothing behind a reference."""
    schema = shape.model_json_schema()
    definitions = schema.pop("$defs", {})

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            name = value.get("$ref", "").rsplit("/", 1)[-1]
            return resolved(_untitled(definitions[name])) if name else {key: resolved(part) for key, part in value.items()}
        return [resolved(part) for part in value] if isinstance(value, list) else value

    plain: dict[str, Any] = resolved(schema)
    return plain


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its fields in the reader's language, and without the words that are only in the code."""
    told = deepcopy(_untitled(schema))
    for name, field in told.get("properties", {}).items():
        field.pop("title", None)
        if "$ref" not in field and name in FIELDS:
            field["description"] = str(FIELDS[name])
    return told
