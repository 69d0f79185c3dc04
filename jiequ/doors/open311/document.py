"""The OpenAPI 3.1 document of the door, in the reader's language. docs/openapi-open311.json is a copy that a test compares."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from . import rules

VERSION = "2.0"
PREFIX = "/open311/v2"
_JSON, _XML, _FORM = "application/json", "text/xml", "application/x-www-form-urlencoded"
_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_TRUTH: dict[str, Any] = {"type": "boolean"}
_MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
REFUSED = ("400", "403", "404", "405", "429")


def document(server: str) -> dict[str, Any]:
    """The whole document as plain values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Open311 GeoReport v2",
            "version": VERSION,
            "summary": _("按 GeoReport v2 标准读取公开案件、上报和补充。"),
            "description": _about(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{server}{PREFIX}"}],
        "paths": _paths(),
        "components": {
            "parameters": _parameters(),
            "responses": {f"Refused{status}": _refused() for status in REFUSED},
            "schemas": _schemas(),
        },
    }


def _about() -> str:
    return _(
        "地址末尾写 .xml 或 .json。jurisdiction_id 是街道的 9 位代码，只开放一个街道时可以不写。读取不要令牌；"
        "POST 要 api_key（程序令牌，权限范围 open311）。公开的内容没有上报人、没有上报的原话、没有未公开的照片，"
        '位置只到单元网格。每个拒绝都是数组：[{"code", "description"}]。'
    )


def _paths() -> dict[str, Any]:
    listed = ["Jurisdiction"]
    spans = ["StartDate", "EndDate", "Page", "PageSize"]
    return {
        "/discovery.{form}": {"get": _get("discovery", _("服务发现"), [], "Discovery")},
        "/services.{form}": {"get": _get("services", _("服务列表"), listed, "Services")},
        "/services/{service_code}.{form}": {
            "get": _get("service", _("一个服务的定义"), listed, "Definition", part="service_code")
        },
        "/requests.{form}": {
            "get": _get(
                "requests",
                _("案件列表：默认 90 天，最多 1000 件，新的在前"),
                [*listed, "Ids", "ServiceCode", "Status", *spans, "Extensions", "Cursor"],
                "Requests",
            ),
            "post": _post("report", _("上报"), "NewRequest", "Created"),
        },
        "/requests/{request_id}.{form}": {
            "get": _get("request", _("一件"), [*listed, "Extensions"], "Requests", part="request_id")
        },
        "/tokens/{token}.{form}": {"get": _get("token", _("凭 token 取编号"), listed, "Numbers", part="token")},
        "/servicerequestupdates.{form}": {
            "get": _get("updates", _("案件的进展（扩展）"), [*listed, "Ids", *spans], "Updates"),
            "post": _post("update", _("补充一件案件（扩展）"), "NewUpdate", "UpdateIds"),
        },
    }


def _get(name: str, title: str, parameters: list[str], schema: str, *, part: str = "") -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"$ref": "#/components/parameters/Form"}]
    if part:
        parts.append(
            {"name": part, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 100}}
        )
    shared = [{"$ref": f"#/components/parameters/{one}"} for one in (*parameters, "Language")]
    return {"operationId": name, "summary": title, "parameters": [*parts, *shared], "responses": _answers(schema)}


def _post(name: str, title: str, body: str, schema: str) -> dict[str, Any]:
    content = {_FORM: {"schema": {"$ref": f"#/components/schemas/{body}"}}}
    shared = [{"$ref": f"#/components/parameters/{one}"} for one in ("Form", "Once", "Language")]
    return {
        "operationId": name,
        "summary": title,
        "parameters": shared,
        "requestBody": {"required": True, "content": content},
        "responses": _answers(schema),
    }


def _answers(schema: str) -> dict[str, Any]:
    content = {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}, _XML: {"schema": _TEXT}}
    refused = {status: {"$ref": f"#/components/responses/Refused{status}"} for status in REFUSED}
    return {"200": {"description": _("办好了"), "content": content}, **refused}


def _refused() -> dict[str, Any]:
    content = {_JSON: {"schema": {"$ref": "#/components/schemas/Errors"}}, _XML: {"schema": _TEXT}}
    return {"description": _("拒绝，说明原因"), "content": content}


def _parameters() -> dict[str, Any]:
    return {
        "Form": {"name": "form", "in": "path", "required": True, "schema": {"type": "string", "enum": ["json", "xml"]}},
        "Jurisdiction": _query("jurisdiction_id", _("街道的 9 位代码"), pattern="^[0-9]{9}$"),
        "Ids": _query("service_request_id", _("编号，逗号分隔，最多 200 个；写了它，别的条件不算")),
        "ServiceCode": _query("service_code", _("服务代码，逗号分隔")),
        "Status": _query("status", _("open、closed，逗号分隔")),
        "StartDate": _query("start_date", _("从什么时候起，W3C 格式"), format="date-time"),
        "EndDate": _query("end_date", _("到什么时候止，W3C 格式"), format="date-time"),
        "Page": _query("page", _("第几页，从 1 开始（扩展）"), type="integer", minimum=1),
        "PageSize": _query("page_size", _("一页多少（扩展）"), type="integer", minimum=1, maximum=rules.MOST),
        "Extensions": _query("extensions", _("true：另给 extended_attributes（扩展）"), enum=["true", "false"]),
        "Cursor": _query("cursor", _("Link 响应头 next 地址里的游标（扩展）")),
        "Language": {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "description": _("文字的语言。"),
            "schema": {"type": "string", "enum": ["zh-hans", "en"]},
        },
        "Once": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": _("您自己的编号（扩展）：同一个编号重复发送只办一次，回同一个编号。"),
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
        },
    }


def _query(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"} | schema}


def _schemas() -> dict[str, Any]:
    return {
        "Discovery": _object(changeset=_TEXT, contact=_TEXT, key_service=_TEXT, endpoints={"type": "array", "items": _object(
            specification=_TEXT, url=_TEXT, changeset=_TEXT, type=_TEXT, formats={"type": "array", "items": _TEXT})}),
        "Services": _many(service_code=_TEXT, service_name=_TEXT, description=_MAYBE, metadata=_TRUTH,
                          type={"const": "realtime"}, keywords=_TEXT, group=_TEXT),
        "Definition": _object(service_code=_TEXT, attributes=_many(
            variable=_TRUTH, code=_TEXT, datatype=_TEXT, required=_TRUTH, datatype_description=_MAYBE,
            order={"type": "integer"}, description=_TEXT, values=_many(key=_TEXT, name=_TEXT))),
        "Requests": {"type": "array", "items": _request()},
        "Created": {"type": "array", "minItems": 1, "maxItems": 1, "items": {
            "type": "object", "required": ["service_notice", "account_id"],
            "properties": {"service_request_id": _TEXT, "token": _TEXT, "service_notice": _TEXT, "account_id": _MAYBE}}},
        "Numbers": _many(service_request_id=_TEXT, token=_TEXT),
        "Updates": _many(update_id=_TEXT, service_request_id=_TEXT, status={"enum": ["open", "closed"]},
                         updated_datetime=_MOMENT, description=_TEXT, media_url=_MAYBE),
        "UpdateIds": _many(update_id=_TEXT),
        "NewRequest": _form(
            ["api_key", "service_code"],
            **dict.fromkeys(
                ("api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id", "description",
                 "media_url", "first_name", "last_name", "phone", "email", "device_id", "account_id", "attribute[condition]",
                 "attribute[seen_at]"), _TEXT),
            respond_with={"enum": ["id", "token"]},
        ),
        "NewUpdate": _form(
            ["api_key", "service_request_id"],
            **dict.fromkeys(("api_key", "jurisdiction_id", "service_request_id", "update_id", "description",
                             "updated_datetime"), _TEXT),
            status={"enum": ["open", "closed"]},
        ),
        "Errors": _many(code={"type": "integer"}, description=_TEXT) | {"minItems": 1},
    }  # fmt: skip


def _request() -> dict[str, Any]:
    texts = dict.fromkeys(
        ("status_notes", "service_name", "service_code", "description", "agency_responsible", "service_notice", "address",
         "address_id", "zipcode", "media_url"), _MAYBE)  # fmt: skip
    moments = dict.fromkeys(("requested_datetime", "updated_datetime", "expected_datetime"), _MOMENT)
    status = {"enum": [rules.OPEN, rules.CLOSED]}
    told = _object(service_request_id=_TEXT, status=status, **texts, **moments, lat=_NUMBER, long=_NUMBER)
    told["properties"]["extended_attributes"] = {"type": "object"}
    return told


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _many(**properties: Any) -> dict[str, Any]:
    return {"type": "array", "items": _object(**properties)}


def _form(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}
