"""Who may see which message: one's own inbox; call-backs and lost notices of the streets one works the desk for."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from jiequ.core.errors import NotFound
from jiequ.people.rules import Actor, Role

from .models import CallBack, InboxItem, Message
from .rules import MessageState

DESK = (Role.ACCEPTOR, Role.DISPATCHER, Role.DUTY_LEADER)


def desk_filter(actor: Actor) -> Q:
    """Rows of the streets whose desk the actor works at; a desk seat of the district sees all of them."""
    if any(seat.role in DESK and seat.street_id is None for seat in actor.seats):
        return Q()
    return Q(street_id__in=actor.streets(*DESK))


def call_backs_for(actor: Actor) -> QuerySet[CallBack]:
    """The call-backs the actor may work on."""
    return CallBack.objects.filter(desk_filter(actor))


def call_back_for(actor: Actor, call_back_id: int) -> CallBack:
    """One of them; raises NotFound alike for another street's and for none."""
    call = call_backs_for(actor).select_related("message").filter(pk=call_back_id).first()
    if call is None:
        raise NotFound("call_back_unknown", _("没有找到这个回访任务。"))
    return call


def lost_messages_for(actor: Actor) -> QuerySet[Message]:
    """The notices that reached nobody, of the actor's desks."""
    return Message.objects.filter(desk_filter(actor), state=MessageState.NOT_DELIVERED)


def lost_message_for(actor: Actor, message_id: int) -> Message:
    """One notice of the actor's desks, whatever its state by now; raises NotFound."""
    message = Message.objects.filter(desk_filter(actor), pk=message_id).first()
    if message is None:
        raise NotFound("message_unknown", _("没有找到这条通知。"))
    return message


def inbox_items_for(actor: Actor) -> QuerySet[InboxItem]:
    """The actor's own inbox."""
    return InboxItem.objects.filter(person_id__in=[actor.person_id] if actor.person_id else [])


def inbox_item_for(actor: Actor, item_id: int) -> InboxItem:
    """An item of the actor's own inbox; raises NotFound for anybody else's."""
    item = inbox_items_for(actor).select_related("message").filter(pk=item_id).first()
    if item is None:
        raise NotFound("inbox_item_unknown", _("没有找到这条消息。"))
    return item
