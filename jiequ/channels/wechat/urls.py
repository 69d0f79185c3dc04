"""The addresses of the official account: its callback, and the administrator's page of channels."""

from __future__ import annotations

from django.urls import path

from .views import account, callback

app_name = "wechat"
urlpatterns = [
    path("callbacks/wechat/", callback.callback, name="callback"),
    path("channels/", account.account, name="account"),
    path("channels/check", account.check, name="check"),
    path("channels/menus", account.push_menus, name="push_menus"),
    path("channels/templates", account.read_templates, name="read_templates"),
    path("channels/templates/<int:form_id>", account.form, name="form"),
    path("channels/templates/<int:form_id>/drop", account.drop_form, name="drop_form"),
    path("channels/arrivals/<int:arrival_id>/revive", account.revive, name="revive"),
]
