"""The settings of the process that takes in what WeChat, WeCom and the provider of text messages push.

Their addresses and nothing else: a push passes no session, no language and none of two hundred addresses of pages before it is
stored.
"""

from __future__ import annotations

from jiequ.web.settings import *  # noqa: F403 - the installation's own, but for what follows

ROOT_URLCONF = "jiequ.web.callbacks"
REFUSAL_SHAPE = "jiequ.web.callbacks.bare"
MIDDLEWARE = [
    "jiequ.web.ops.logs.RequestLog",
    "jiequ.core.middleware.SecurityHeaders",
    "django.middleware.common.CommonMiddleware",  # the length of an answer: without it each is sent in chunks
    "jiequ.core.middleware.RequestGuard",
    "jiequ.core.middleware.Refusals",
]
