"""Why a call of ``outgoing`` came to nothing, in plain words by its code: for every page that shows the end of one."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

FAULTS: dict[str, Promise] = {
    "unknown_host": gettext_lazy("域名查不到"),
    "address_not_allowed": gettext_lazy("内网地址，没有允许"),
    "no_connection": gettext_lazy("连不上"),
    "timed_out": gettext_lazy("10 秒没有回应"),
    "bad_certificate": gettext_lazy("证书无效"),
    "no_answer": gettext_lazy("没有回应"),
    "redirect": gettext_lazy("对方要求转到别的地址，不跟随"),
    "refused": gettext_lazy("对方没有接受"),
    "url_not_https": gettext_lazy("地址不是 https"),
    "job_failed": gettext_lazy("系统没有办成"),
}
