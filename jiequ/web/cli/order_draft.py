"""A first map, written from the file itself: columns and words guessed by name, everything else listed to be filled in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import datetime
from difflib import SequenceMatcher

from jiequ.cases.models import TypeEdition
from jiequ.cases.order_files import OrderFile
from jiequ.cases.queries.types import in_force
from jiequ.core.models import Street
from jiequ.people.models import Department

MOST_VALUES = 400
LOOKED_AT = 200_000
# What a column is called elsewhere: ours → parts of names, the surest first. Data, not texts of ours.
GUESSES: dict[str, tuple[str, ...]] = {
    "number": (
        "工单编号",
        "工单号",
        "案件编号",
        "案卷号",
        "受理编号",
        "单号",
        "编号",
        "order_no",
        "rec_id",
        "number",
    ),  # data
    "created": ("上报时间", "创建时间", "受理时间", "登记时间", "来电时间", "create_time", "created"),  # data
    "closed": ("结案时间", "办结时间", "归档时间", "完成时间", "close_time", "closed", "archive_time"),  # data
    "due": ("截止时间", "应办结时间", "办理期限", "到期时间", "deadline", "due"),  # data
    "on_time": ("是否按时", "是否超期", "按时", "intime_archive", "on_time"),  # data
    "state": ("案件状态", "工单状态", "状态", "status", "state"),  # data
    "sub_type": ("小类名称", "问题小类", "小类", "三级分类", "sub_type_name", "subtype", "sub_type"),  # data
    "type": (
        "大类名称",
        "问题大类",
        "大类",
        "事件类型",
        "诉求类型",
        "类型",
        "event_type_name",
        "type_name",
        "category",
    ),  # data
    "property": ("事件性质", "诉求性质", "性质", "event_property_name", "property"),  # data
    "street": ("所属街道", "街道名称", "街道", "镇街", "street_name", "street"),  # data
    "community": ("所属社区", "社区名称", "社区", "村居", "community_name", "community"),  # data
    "unit": ("处置部门", "处置单位", "承办单位", "责任单位", "办理单位", "dispose_unit_name", "unit", "department"),  # data
    "source": ("问题来源", "案件来源", "来源", "渠道", "event_src_name", "source", "channel"),  # data
    "words": ("问题描述", "诉求内容", "工单内容", "描述", "内容", "description", "content"),  # data
    "place": ("详细地址", "事发地址", "地址", "地点", "occur_place", "address"),  # data
    "x": ("经度", "longitude", "lng", "lon"),  # data
    "y": ("纬度", "latitude", "lat"),  # data
    "contact_name": ("联系人", "来电人", "诉求人", "contact"),  # data
    "contact_phone": ("联系电话", "来电号码", "手机", "phone", "mobile"),  # data
}
SOURCE_WORDS = {
    "12345": "hotline",
    "热线": "hotline",
    "巡查": "staff",
    "网格": "staff",
    "视频": "camera",
    "电话": "caller",
}  # data
LISTED = {
    "types": "sub_type",
    "units": "unit",
    "sources": "source",
    "streets": "street",
    "states": "state",
    "on_time": "on_time",
}
FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S", "%Y-%m-%d", "%Y/%m/%d")


def draft(file: OrderFile) -> str:
    """The map as TOML text."""
    columns = guess_columns(file.headings)
    listed = LISTED if "sub_type" in columns else {**LISTED, "types": "type"}
    values = _values(file, {columns[name] for name in (*listed.values(), "created") if name in columns})
    parts = [_head(file, values.get(columns.get("created", ""), Counter())), _columns(file, columns)]
    known = _known()
    for table, name in listed.items():
        if name in columns:
            parts.append(_table(table, columns[name], values[columns[name]], known))
    return "\n".join(parts)


def guess_columns(headings: list[str]) -> dict[str, str]:
    """Our name → the file's column; a column is taken once."""
    found: dict[str, str] = {}
    for exact in (True, False):
        for name, words in GUESSES.items():
            for word in words:
                if name in found:
                    break
                for heading in headings:
                    low = heading.lower()
                    if heading not in found.values() and (low == word if exact else word in low and len(word) > 2):
                        found[name] = heading
                        break
    return found


def _values(file: OrderFile, columns: set[str]) -> dict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for number, row in enumerate(file.rows()):
        if number >= LOOKED_AT:
            break
        for column in columns:
            if value := row.cells.get(column, "").strip():
                found[column][value] += 1
    return found


def _head(file: OrderFile, moments: Counter[str]) -> str:
    code = re.sub(r"[^a-z0-9_-]", "", file.path.stem.lower()) or "orders"
    return (
        f"# {file.path.name}: {file.about_rows} rows, {file.encoding}. Written by a program: look at every line.\n"
        f"# 由程序写的初稿，请逐行核对。留空的值不猜，导入后进“导入核对”。\n"  # data
        f"source = {quoted(code[:40] if code[:1].isalpha() else 'o-' + code[:38])}\n"
        f'name = ""\n'
        f"dates = {quoted(_format_of(moments))}\n"
        f'coordinates = "gcj02"  # wgs84 cgcs2000 gcj02 bd09\n'
        f'empty = ["-", "无", "NULL"]\n'
    )


def _format_of(moments: Counter[str]) -> str:
    def fits(form: str) -> int:
        fitting = 0
        for text in list(moments)[:200]:
            try:
                datetime.strptime(text, form)  # noqa: DTZ007
            except ValueError:
                continue
            fitting += 1
        return fitting

    return max(FORMATS, key=fits)


def _columns(file: OrderFile, columns: dict[str, str]) -> str:
    lines = ["[columns]"]
    lines += [f"{name} = {quoted(columns[name])}" if name in columns else f'# {name} = ""' for name in GUESSES]
    rest = [heading for heading in file.headings if heading not in columns.values()]
    return "\n".join([*lines, *(["# " + " ".join(rest)] if rest else []), ""])


def _known() -> dict[str, dict[str, str]]:
    """What our words are called, by table: name → code."""
    types = {}
    for edition in TypeEdition.objects.filter(in_force(), event_type__is_active=True).select_related("event_type"):
        prefix = "" if edition.event_type.kind == "event" else f"{edition.event_type.kind}:"
        types[edition.name_zh] = f"{prefix}{edition.event_type.code}"
    return {
        "types": types,
        "units": dict(Department.objects.filter(is_active=True).values_list("name_zh", "key")),
        "streets": dict(Street.objects.values_list("name_zh", "code9")),
        "sources": SOURCE_WORDS,
    }


def _table(table: str, column: str, values: Counter[str], known: dict[str, dict[str, str]]) -> str:
    lines = [f"[{table}]  # {column}"]
    for value, count in values.most_common(MOST_VALUES):
        guess = _guess(table, value, known.get(table, {}))
        lines.append(f"{quoted(value)} = {guess}  # {count}" if guess else f"# {quoted(value)} =   # {count}")
    if len(values) > MOST_VALUES:
        lines.append(f"# … {len(values) - MOST_VALUES}")
    return "\n".join([*lines, ""])


def _guess(table: str, value: str, known: dict[str, str]) -> str:
    """What a word most likely is, quoted; empty where nothing is near enough."""
    if table in {"on_time", "states"}:
        return ""
    if value in known:
        return quoted(known[value])
    if table == "sources":
        return quoted(next((code for word, code in known.items() if word in value), "outside"))
    best = max(known, key=lambda name: _alike(name, value), default="")
    return quoted(known[best]) if best and _alike(best, value) >= 0.6 else '""'


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def quoted(text: str) -> str:
    """As TOML writes a string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\t", " ") + '"'
