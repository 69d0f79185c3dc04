"""Codes in words: why a file cannot be used, how far a comparison is, why a place is blind, what held a finding back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jiequ.core import outgoing_words

UNUSABLE: dict[str, Promise] = {
    "unknown_format": gettext_lazy("不是照片，也不是 GeoTIFF。请上传 JPEG 照片或 GeoTIFF。"),
    "truncated": gettext_lazy("文件不完整，后面缺了一截。请重新导出或重新上传。"),
    "too_wide": gettext_lazy("像素太宽或太高，超出能处理的尺寸。请分幅导出。"),
    "too_many_pixels": gettext_lazy("像素太多，超出能处理的总量。请分幅导出。"),
    "bomb": gettext_lazy("文件很小，解开却极大，像是恶意文件，没有打开。"),
    "no_crs": gettext_lazy("没有坐标系，不知道在哪里。请导出带坐标系的 GeoTIFF。"),
    "wrong_crs": gettext_lazy("坐标系与数值对不上，落在地球之外或不是地图坐标。请重新导出。"),
    "no_data": gettext_lazy("里面没有有效像素，全是空值。"),
    "no_position": gettext_lazy("照片里没有位置。请用保留定位信息的原图。"),
    "pitch": gettext_lazy("镜头不是朝正下方（俯仰角高于 -75°），不能当正射用。"),
    "blur": gettext_lazy("照片模糊，不能用来比对。"),
    "clock_skew": gettext_lazy("相机时间明显不对，请校准相机时钟后重拍，或改好照片时间。"),
    "xmp_entities": gettext_lazy("照片的附加信息里有外部实体，像是恶意文件，没有读取。"),
    "xmp_broken": gettext_lazy("照片的附加信息损坏，读不出姿态。"),
    "no_overlap": gettext_lazy("两期影像没有重叠的地方。"),
    "no_date": gettext_lazy("不知道拍摄日期。请写明拍摄日期，再传一次。"),
    "twice": gettext_lazy("同一个文件已经有了，没有再存一份。"),
    "file_gone": gettext_lazy("文件已经不在原来的位置。"),
    "not_installed": gettext_lazy("这台服务器没有装影像组件。请系统管理员按运维说明装好后，再上传。"),
    "crashed": gettext_lazy("打开这个文件时程序两次崩溃，文件可能已损坏。"),
    "too_much_memory": gettext_lazy("打开这个文件要用太多内存。"),
    "given_up": gettext_lazy("多次处理都没有成功，请联系系统管理员看运行日志。"),
    "zip_slip": gettext_lazy("压缩包里的路径指向包外，像是恶意文件，没有打开。"),
    "too_many_bands": gettext_lazy("波段太多，不是普通影像。"),
    "no_height": gettext_lazy("照片里没有离地高度，算不出它拍到的范围。"),
    "no_lens": gettext_lazy("照片里没有镜头焦距，算不出它拍到的范围。"),
    "unreadable": gettext_lazy("文件读不出来，可能已损坏。"),
    "nothing_in_common": gettext_lazy("两期没有同类的影像，不能比对。"),
    "other_size": gettext_lazy("两张抓拍的尺寸不同，不是同一个固定视角。"),
    "xml_entities": gettext_lazy("文件里有外部实体，像是恶意文件，没有打开。"),
    "xml_broken": gettext_lazy("文件的内容损坏，读不出来。"),
    "address_not_allowed": gettext_lazy("地址在内网，系统管理员没有允许（JIEQU_WEBHOOK_NETWORKS）。"),
    "odm_failed": gettext_lazy("服务器没有拼成。"),
    "odm_lost": gettext_lazy("服务器上已经没有这次任务。"),
    "odm_cancelled": gettext_lazy("任务在服务器上被取消了。"),
    "odm_too_many": gettext_lazy("照片太多，超出这台服务器一次能收的张数。请分成几个架次。"),
    "odm_old": gettext_lazy("服务器的 NodeODM 太旧，不认我们给的任务号。请升级。"),
    "odm_empty": gettext_lazy("服务器交回的结果里没有正射影像。"),
    "odm_too_large": gettext_lazy("服务器交回的结果太大，没有收。"),
    "odm_refused": gettext_lazy("服务器没有接受，稍后再试"),
    "odm_gone": gettext_lazy("服务器连不上，稍后再试"),
    "odm_nonsense": gettext_lazy("服务器的回答看不懂，稍后再试"),
    "odm_archive": gettext_lazy("结果没有收全，稍后再取"),
    "camera_black": gettext_lazy("画面全黑：夜里没有补光，或镜头被遮住。"),
    "camera_flat": gettext_lazy("画面只有一种颜色，看不到东西。"),
    "camera_frozen": gettext_lazy("画面和上一张一模一样，可能卡住了。"),
    "camera_login": gettext_lazy("摄像头不认用户名或密码。"),
    "camera_status": gettext_lazy("摄像头没有给图。"),
    "camera_silent": gettext_lazy("文件夹里很久没有新图。"),
    "camera_folder": gettext_lazy("摄像头的文件夹不见了。"),
    "no_camera_folder": gettext_lazy("这台服务器没有设摄像头文件夹（JIEQU_SENSE_CAMERAS）。"),
    "too_large": gettext_lazy("图太大，没有收。"),
    "too_long": gettext_lazy("处理这个文件用了太久，没有做完。"),
}
STAGES: dict[str, Promise] = {
    "hash": gettext_lazy("核对文件"),
    "overview": gettext_lazy("整体配准"),
    "register": gettext_lazy("逐块配准"),
    "relief": gettext_lazy("高程找平"),
    "surface": gettext_lazy("比高程"),
    "picture": gettext_lazy("比影像"),
    "join": gettext_lazy("拼接图斑"),
}
BLIND: dict[str, Promise] = {
    "not_registered": gettext_lazy("两期对不齐"),
    "no_overlap": gettext_lazy("只有一期有影像"),
    "no_data": gettext_lazy("有一期没有像素：边上的一条，或影像里的空白"),
    "no_pictures": gettext_lazy("没有两期都拍到的影像"),
    "no_texture": gettext_lazy("没有可以对齐的纹理"),
    "no_detector": gettext_lazy("没有识别网络，也没有高程"),
}
PATHS: dict[str, Promise] = {"dsm": gettext_lazy("高程"), "net": gettext_lazy("影像网络")}
NOTES: dict[str, Promise] = {
    "net_missing": gettext_lazy("识别网络的权重缺失或与登记的不符，没有使用，只用高程比对。"),
    "no_surface_model": gettext_lazy("没有两期高程，只用影像比对：加层和屋顶搭建容易漏。"),
    "surface_not_registered": gettext_lazy("两期高程对不齐，没有使用。"),
    "no_common_features": gettext_lazy("两期影像找不到共同的特征，可能不是同一个地方。"),
}
RULES: dict[str, Promise] = {
    "planning_covers": gettext_lazy("在建设工程规划许可范围内"),
    "rural_covers": gettext_lazy("在乡村建设规划许可范围内"),
    "temporary_covers": gettext_lazy("在临时建设许可范围内"),
    "demolition_covers": gettext_lazy("属于登记的拆除工程"),
    "water_covers": gettext_lazy("在登记的水面内"),
    "vegetation_covers": gettext_lazy("在登记的植被内"),
}


RELATIONS: dict[str, Promise] = {
    "new": gettext_lazy("新出现"),
    "same": gettext_lazy("没有变"),
    "grown": gettext_lazy("变大了"),
    "storey": gettext_lazy("加高了一层"),
}


def said(words: Mapping[str, Promise], code: str) -> str:
    """A code in words; one that nobody wrote words for is shown as it is."""
    return str(words.get(code, code))


def why(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why a file cannot be used, in words; a code that nobody wrote words for is shown as it is."""
    words = UNUSABLE.get(code) or outgoing_words.FAULTS.get(code)
    return str(words) if words else _("不能用（%(code)s）。") % {"code": code}
