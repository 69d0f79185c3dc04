"""The sentences of refusals: what is wrong with a map, and where."""

from __future__ import annotations

from django.utils.translation import gettext as _

from .geojson import Unreadable
from .topology import Fault, Problem

SHOWN = 200


def unreadable(fault: Unreadable) -> str:
    """Why a file cannot be read as a map."""
    sentence = {
        "too_large": _("文件超过 30 MB，请按街道分开导出后再试。"),
        "not_json": _("这不是 GeoJSON 文件（读不出 UTF-8 的 JSON）。"),
        "not_collection": _("文件最外层应是 FeatureCollection。"),
        "no_features": _("文件里没有任何要素（features 为空）。"),
        "too_many": _("一个文件最多 20000 个要素，请按街道分开。"),
        "bad_system": _("不认识坐标系“%(detail)s”，可用 cgcs2000、wgs84、gcj02、bd09。"),
        "not_feature": _("第 %(number)d 个要素缺少 properties，或几何不是对象。"),
        "bad_point": _("第 %(number)d 个要素应是一个点，带两个数（经度、纬度）。"),
        "bad_line": _("第 %(number)d 个要素的线读不出来，或化简到 25 米后还有 500 个点以上；请分社区、分段画。"),
        "unknown_layer": _("第 %(number)d 个要素的图层“%(detail)s”不认识。"),
        "missing_property": _("第 %(number)d 个要素缺少属性“%(detail)s”，或它不是文字。"),
    }[fault.reason]
    return sentence % {"number": fault.number, "detail": fault.detail}


def problem(found: Problem) -> str:
    """One fault of a map, with the codes it concerns and a position to look at."""
    return _sentence(found) % {
        "code": found.codes[0] if found.codes else "",
        "other": found.codes[1] if len(found.codes) > 1 else "",
        "codes": _("、").join(found.codes),
        "spot": "" if found.lon is None else f"{found.lon:.6f}, {found.lat:.6f}",
        "area": round(found.area_m2, 1),
    }


def _sentence(found: Problem) -> str:
    with_place = {
        Fault.NOT_CLOSED: _("网格 %(code)s 没有闭合：首尾两点不同（%(spot)s）。"),
        Fault.CROSSES_ITSELF: _("网格 %(code)s 的边界自己相交（%(spot)s 附近）。"),
        Fault.NO_AREA: _("网格 %(code)s 没有面积（%(spot)s）。"),
        Fault.OVERLAP: _("网格 %(code)s 与 %(other)s 重叠 %(area)s 平方米（%(spot)s 附近）。"),
        Fault.TWO_COMMUNITIES: _("同一块地属于两个社区：%(code)s 与 %(other)s（%(spot)s 附近，%(area)s 平方米）。"),
        Fault.GAP: _("网格 %(codes)s 之间有 %(area)s 平方米空隙（%(spot)s 附近）。"),
        Fault.OUTSIDE: _("网格 %(code)s 有 %(area)s 平方米在社区 %(other)s 之外（%(spot)s 附近）。"),
        Fault.BAD_CODE: _("“%(code)s”不是网格编码：应为 15 位数字，区 6 位、街道 3 位、社区 3 位、序号 3 位（%(spot)s）。"),
        Fault.TWICE: _("网格编码 %(code)s 用了两次（%(spot)s）。"),
        Fault.OTHER_STREET: _("网格 %(code)s 的编码属于另一个街道（%(spot)s）。"),
        Fault.NO_COMMUNITY: _("网格 %(code)s 的社区 %(other)s 不在社区名单里（%(spot)s）。"),
    }
    without = {
        Fault.NOT_POLYGON: _("网格 %(code)s 应是一个多边形（Polygon），由坐标环组成。"),
        Fault.OFF_EARTH: _("网格 %(code)s 的坐标超出经纬度范围，请检查坐标系。"),
        Fault.BAD_COMMUNITY: _("“%(code)s”不是本街道的社区编码：应为街道 9 位加社区 3 位。"),
        Fault.COMMUNITY_TWICE: _("社区编码 %(code)s 用了两次。"),
        Fault.BAD_OUTLINE: _("社区 %(code)s 的范围线不是有效的多边形。"),
        Fault.COMMUNITY_GONE: _("社区 %(code)s 还有单元网格，文件里却没有它们；请把单元网格一起导入。"),
        Fault.UNKNOWN_GRID: _("责任网格“%(code)s”里的单元网格 %(other)s 不存在。"),
        Fault.GRID_TAKEN: _("单元网格 %(code)s 同时在责任网格“%(other)s”和另一个责任网格里。"),
        Fault.NAME_TWICE: _("“%(code)s”用了两次。"),
        Fault.NO_MEMBERS: _("责任网格“%(code)s”没有单元网格。"),
        Fault.UNKNOWN_WORKER: _("责任网格“%(code)s”的网格员“%(other)s”不是本街道的在岗网格员。"),
        Fault.BAD_KIND: _("“%(code)s”的种类“%(other)s”不认识。"),
        Fault.TOO_LONG: _("“%(code)s”太长。"),
        Fault.PLACE_NO_COMMUNITY: _("地点“%(code)s”的社区 %(other)s 不在社区名单里。"),
        Fault.UNKNOWN_BESIDE: _("地点“%(code)s”旁边的“%(other)s”不在同一社区的道路、小区或村庄里。"),
    }
    return with_place.get(found.fault) or without[found.fault]
