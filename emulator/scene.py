"""The demonstration's people and accounts: a resident, a grid worker, handlers, a leader; an account, a corporation.

Their ids are user names of the product's own demonstration, its invented street and river too.
"""

from __future__ import annotations

import functools
import io
from typing import Any

from PIL import Image, ImageDraw, ImageFilter

from emulator.deeds import add_photo
from emulator.official.templates import LIBRARY
from emulator.store import Account, Person, Robot, SmsProvider, State, Template, digest
from emulator.wecom.state import Agent, Corp, Department, Member

APPID, SECRET, ORIGINAL_ID = "wxe7e0000000000001", "e" * 32, "gh_e7e000000001"
CORPID, AGENTID, AGENT_SECRET = "wwe7e0000000000001", "1000002", "w" * 43
CONTACTS_SECRET = "c" * 43
SMS_KEY, SMS_SECRET = "LTAIemulator", "s" * 30
ROBOT = "d" * 64
ROBOT_SECRET = "SEC" + "d" * 60
PEOPLE = (
    # id, name, role, colour, userid
    ("zhou", "周敏", "居民", "#3a6ea5", ""),
    ("chen", "陈勇", "网格员", "#2f7d4f", "chen"),
    ("huang", "黄海涛", "环卫处置", "#8a5a1f", "huang"),
    ("shui", "江水生", "水务处置", "#7a4a8a", "shui"),
    ("qian", "钱江", "水务负责人", "#5d6a2a", "qian"),
    ("he", "何志远", "街道领导", "#a5423a", "he"),
)
PLACE = (23.190594, 113.495562, "荷泽街鹭溪河桥")


def play(state: State, *, product: str = "") -> None:
    """Fill an empty state. ``product``: its address; the account's domains are then its host."""
    host = product.removeprefix("http://").removeprefix("https://").strip("/")
    account = Account(APPID, SECRET, "鹭港街道", ORIGINAL_ID, oauth_domain=host, js_domains=[host] if host else [])
    for model in LIBRARY.values():
        made = Template("T" + digest(model.short)[:42], model.title, model.content, model.short, model.category)
        account.templates[made.id] = made
        account.subscriptions[made.id] = made
    state.accounts[APPID] = account
    state.sms_provider = SmsProvider(
        SMS_KEY, SMS_SECRET, ["鹭港街道"], {"SMS_1": "您的事项${number}：${text}"}, a_minute=5, an_hour=50, a_day=200
    )
    state.robots[ROBOT] = Robot(ROBOT, ROBOT_SECRET)
    _people(state)
    _corp(state, host)


def _people(state: State) -> None:
    lat, lon, label = PLACE
    for number, (key, name, role, colour, userid) in enumerate(PEOPLE):
        place: dict[str, Any] = {"lat": lat + number * 0.0004, "lon": lon - number * 0.0003, "label": label}
        mobile = f"1380000{number + 1:04d}"
        state.people[key] = Person(key, name, role, colour, mobile, f"{key}@example.com", userid, **place)
        for kind in ("blocked", "cleared", "street"):
            add_photo(state, state.people[key], picture(kind), "image/jpeg")


def _corp(state: State, host: str) -> None:
    corp = Corp(CORPID, "鹭港街道办事处", CONTACTS_SECRET)
    for number, name in enumerate(("鹭港街道办事处", "综合治理中心", "环卫", "水务", "领导班子"), 1):
        corp.departments[str(number)] = Department(number, name, 0 if number == 1 else 1, number)
    homes = {"chen": 2, "huang": 3, "shui": 4, "qian": 4, "he": 5}
    for person in state.people.values():
        if person.userid:
            corp.members[person.userid] = Member(
                person.userid, person.name, [homes[person.id]], person.mobile, person.mail, person.role
            )
    home = f"http://{host}/" if host else ""
    domains = [host] if host else []
    corp.agents[AGENTID] = Agent(AGENTID, AGENT_SECRET, "街区", oauth_domain=host, js_domains=domains, home=home)
    state.corps[CORPID] = corp


@functools.cache
def picture(kind: str) -> bytes:
    """A drawn photograph: a river ``blocked`` by litter or ``cleared``, or a ``street``. JPEG, 960 by 720."""
    image = Image.new("RGB", (960, 720), "#bcd3e6")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 250, 960, 720), fill="#7c9a68")
    if kind == "street":
        draw.polygon(((360, 250), (600, 250), (960, 720), (0, 720)), fill="#6d6f73")
        for top in range(270, 720, 90):
            draw.rectangle((472 - top // 90, top, 488 + top // 90, top + 45), fill="#e8e4d0")
        draw.rectangle((690, 90, 910, 330), fill="#b8a58c")
    else:
        draw.polygon(((420, 250), (540, 250), (900, 720), (60, 720)), fill="#4f7f96" if kind == "cleared" else "#5c6b57")
        draw.polygon(((400, 250), (420, 250), (60, 720), (0, 720)), fill="#a39a8d")
        draw.polygon(((540, 250), (560, 250), (960, 720), (900, 720)), fill="#a39a8d")
    if kind == "blocked":
        _litter(draw)
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=82)
    return out.getvalue()


def _litter(draw: ImageDraw.ImageDraw) -> None:
    colours = ("#8a5b34", "#d9d4c6", "#3f4a2c", "#b04a3c", "#6b4a2a", "#e2c15a")
    for number in range(70):
        x, y = 250 + number * 97 % 460, 440 + number * 61 % 150
        size = 14 + number * 7 % 40
        draw.ellipse((x, y, x + size * 2, y + size), fill=colours[number % len(colours)])
    draw.line((220, 560, 720, 470), fill="#5a3c20", width=22)
    draw.line((300, 470, 690, 590), fill="#6b4a2a", width=16)
