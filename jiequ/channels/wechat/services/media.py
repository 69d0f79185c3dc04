"""What followers send: photos and voices are kept by the platform for three days, so they are fetched at once, by a job."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from jiequ.channels.client import ApiError
from jiequ.core import outgoing

from .. import config, rules

MOST_BYTES = 10 * 1024 * 1024


def fetch(media_id: str, *, pic_url: str = "", is_page_voice: bool = False) -> bytes | None:
    """The bytes of a photo or a voice, at most 10 MB, as they were sent (a picture goes through core.pictures, the one door).

    None if the platform has it no more, or nothing usable. ApiError for what may pass. ``pic_url``: the push's PicUrl, used
    only where the media is gone, only for the hosts of ``JIEQU_WECHAT_PICTURE_HOSTS``, and by the checks of core.outgoing.
    ``is_page_voice``: recorded by the JS-SDK. Outside a transaction.
    """
    path = "/cgi-bin/media/get/jssdk" if is_page_voice else "/cgi-bin/media/get"
    try:
        return config.api().download(path, {"media_id": media_id}).data
    except ApiError as fault:
        if fault.is_passing:
            raise
        return _by_address(pic_url) if fault.errcode in rules.MEDIA_GONE else None


def _by_address(url: str) -> bytes | None:
    try:
        parts = urlsplit(url)
        if not rules.is_host_of(parts.hostname or "", settings.WECHAT_PICTURE_HOSTS):
            return None
        if parts.scheme == "http" and parts.port is None:
            url = url.replace("http://", "https://", 1)  # the platform still writes http
        answer = outgoing.fetch(url, largest=MOST_BYTES)
    except (ValueError, outgoing.Unreachable):  # no address at all, or none that may be reached
        return None
    return answer.body if answer.status == 200 else None
