"""The addresses of the pages in WeChat."""

from __future__ import annotations

from django.urls import path

from .views import binding, entering, plates

app_name = "wechat_pages"
urlpatterns = [
    path("wechat/enter", entering.enter, name="enter"),
    path("wechat/arrive", entering.arrive, name="arrive"),
    path("wechat/config", entering.page_config, name="config"),
    path("wechat/plate", entering.plate, name="plate"),
    path("wechat/confirm", binding.confirm, name="confirm"),
    path("wechat/mine", binding.mine, name="mine"),
    path("wechat/staff/<int:person_id>", binding.staff, name="staff"),
    path("plates/", plates.sheets, name="sheets"),
    path("plates/<int:sheet_id>", plates.fetch, name="sheet"),
    path("<str:name>.txt", entering.verify_file, name="verify_file"),
]
