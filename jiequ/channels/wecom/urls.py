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
    path("wecom/tie", signing_in.tie, name="tie"),
    path("people/wecom/", members.members, name="members"),
    path("people/wecom/sync", members.sync, name="sync"),
    path("people/wecom/match-all", members.match_all, name="match_all"),
    path("people/wecom/<int:member_id>/match", members.match, name="match"),
    path("people/wecom/<int:member_id>/unmatch", members.unmatch, name="unmatch"),
]
