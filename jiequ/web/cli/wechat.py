"""``./run wechat``: ask the official account, push its menus, read its templates."""

from __future__ import annotations

import argparse
import sys

from django.utils.translation import gettext as _

from jiequ.channels.client import ApiError
from jiequ.channels.wechat import config, services, words
from jiequ.core import clock
from jiequ.people.rules import Actor
from jiequ.web.cli.terminal import speak


def main(options: argparse.Namespace) -> int:
    """Exit status 1 with a sentence where the account is not set or says no."""
    speak()
    if not config.is_on():
        print(_("没有配置公众号。"), file=sys.stderr)
        return 1
    try:
        return {"check": _check, "menu": _menu, "templates": _templates}[options.what]()
    except ApiError as fault:
        print(words.reason(str(fault.errcode) if fault.errcode is not None else fault.code), file=sys.stderr)
        return 1


def _check() -> int:
    error = services.ask_account()
    if error:
        print(_("公众号没有正常回答：%(why)s") % {"why": words.reason(error)}, file=sys.stderr)
        return 1
    print(_("公众号回答正常。"))
    return 0


def _menu() -> int:
    services.push_menus(by=Actor.system(), at=clock.now())
    print(_("菜单已发布，手机上五分钟内可见。"))
    return 0


def _templates() -> int:
    templates = services.read_templates()
    made = services.adopt_templates(templates, by=Actor.system(), at=clock.now())
    print(_("公众号有 %(all)d 个模板，新增 %(new)d 个。") % {"all": len(templates), "new": made})
    return 0
