"""Addresses of WeCom: the platform's callback, signing in, the administrator's page."""

from __future__ import annotations

from django.urls import path

from .views import callback, members, signing_in

app_name = "wecom"

urlpatterns = [
    path("callbacks/wecom/", callback.callback, name="callback"),
    path("callbacks/wecom/contacts/", callback.contacts, name="contacts_callback"),
    path("wecom/sign-in", signing_in.begin, name="sign_in"),
    path("wecom/back", signing_in.came_back, name="came_back"),
    path("wecom/config", signing_in.page_config, name="config"),
    path("wecom/tie", signing_in.tie, name="tie"),
    path("wecom/members/", members.members, name="members"),
    path("wecom/members/sync", members.sync, name="sync"),
    path("wecom/members/match-all", members.match_all, name="match_all"),
    path("wecom/members/<int:member_id>/match", members.match, name="match"),
    path("wecom/members/<int:member_id>/unmatch", members.unmatch, name="unmatch"),
]
