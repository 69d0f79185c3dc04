"""The addresses of messages: one's inbox, and what the duty desk does about calls and lost notices."""

from __future__ import annotations

from django.urls import path

from . import views
from .sms import views as sms

app_name = "channels"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read", views.read_all, name="read_all"),
    path("inbox/<int:item_id>/open", views.open_item, name="open"),
    path("inbox/go/<int:message_id>", views.go, name="go"),
    path("call-backs/", views.call_backs, name="call_backs"),
    path("call-backs/<int:call_back_id>/phone", views.show_phone, name="show_phone"),
    path("call-backs/<int:call_back_id>/finish", views.finish_call_back, name="finish_call_back"),
    path("undelivered/", views.undelivered, name="undelivered"),
    path("undelivered/<int:message_id>/retry", views.retry, name="retry"),
    path("callbacks/sms/<str:secret>/", sms.receipts, name="sms_receipts"),
    path("sms-stub/", views.stub_inbox, name="stub_inbox"),
]
