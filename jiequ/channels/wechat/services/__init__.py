"""What changes the official account's side: followers, what is said to them, media, codes, menus, templates."""

from .binding import bind, unbind
from .checking import ask_account
from .followers import follower_of, openid_of
from .forgetting import on_forgotten
from .forms import adopt_templates, drop_form, read_templates, save_form
from .grants import offered as offered_subscriptions
from .media import fetch
from .menus import push_menus, tag_follower
from .saying import say, send_now
from .scenes import Scene, make_scene
from .sending import send_template

__all__ = [
    "Scene",
    "adopt_templates",
    "ask_account",
    "bind",
    "drop_form",
    "fetch",
    "follower_of",
    "make_scene",
    "offered_subscriptions",
    "on_forgotten",
    "openid_of",
    "push_menus",
    "read_templates",
    "save_form",
    "say",
    "send_now",
    "send_template",
    "tag_follower",
    "unbind",
]
