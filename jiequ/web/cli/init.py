"""``./run init``: district, streets, departments, the three administrators and everybody else from one workbook.

All of it is stored, or nothing. Running it again with more rows adds those; what is there already stays as it is.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from jiequ.cases.services.types import load_catalogue
from jiequ.core import audit, calendar, clock
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.models import District, Street
from jiequ.people import services
from jiequ.people.models import Department, Person, Post
from jiequ.people.rules import Account, Actor, DepartmentKind, Role
from jiequ.web.cli import roster
from jiequ.web.cli.terminal import speak
from jiequ.web.cli.workbook import Fault, Row, Unreadable, fault_at, read, write_example

# Which column a refusal of a service is about.
COLUMN_OF = {
    "bad_username": "username",
    "username_taken": "username",
    "bad_name": "name",
    "bad_phone": "phone",
    "phone_taken": "phone",
    "bad_key": "key",
    "key_taken": "key",
    "bureau_has_no_street": "street",
    "department_missing": "department",
    "wrong_department": "department",
    "department_elsewhere": "department",
    "no_such_department": "department",
    "role_cannot_be_given": "role",
    "administrator_has_no_case_role": "role",
}


class Rehearsal(Exception):
    """Ends the transaction without storing: something is wrong, or only a check was asked for."""


def main(options: argparse.Namespace) -> int:
    """Exit status 1 with every fault by sheet, row and column if the workbook is not right."""
    speak()
    if options.settings:
        return _write_settings(Path(options.settings))
    if options.code:
        return _print_code(options.code)
    if options.example:
        write_example(Path(options.example), roster.SHEETS, roster.examples())
        print(_("已写好示例：%(file)s") % {"file": options.example})
        return 0
    if not options.workbook:
        print(_("请给出工作簿，或用 --example FILE 写一个示例"), file=sys.stderr)
        return 2
    try:
        rows, faults = read(Path(options.workbook), roster.SHEETS)
    except Unreadable as unreadable:
        print(unreadable, file=sys.stderr)
        return 1
    loader = Loader(rows, clock.now())
    if not faults:
        faults = loader.load(rehearse=options.check)
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(_("共 %(count)d 处要改，什么都没有写入。") % {"count": len(faults)}, file=sys.stderr)
        return 1
    _tell(loader, is_check=options.check)
    return 0


class Loader:
    """One run over the workbook's rows, in the order in which they need each other."""

    def __init__(self, rows: dict[str, list[Row]], at: datetime) -> None:
        self.rows = rows
        self.at = at
        self.by = Actor.system()
        self.faults: list[Fault] = []
        self.added: Counter[str] = Counter()
        self.codes: list[tuple[str, str, str]] = []
        self.streets: dict[str, int] = {}

    def load(self, *, rehearse: bool = False) -> list[Fault]:
        """Store everything, or nothing; returns the faults."""
        try:
            with writing():
                self._load_all()
                if self.faults or rehearse:
                    raise Rehearsal
        except Rehearsal:
            pass
        return self.faults

    def _load_all(self) -> None:
        steps: tuple[tuple[str, Callable[[Row], None]], ...] = (
            (roster.DISTRICT.title, self._district),
            (roster.STREETS.title, self._street),
            (roster.DEPARTMENTS.title, self._department),
            (roster.ADMINS.title, self._administrator),
            (roster.PEOPLE.title, self._person),
        )
        self.streets = dict(Street.objects.values_list("code9", "pk"))
        for title, step in steps:
            for row in self.rows[title]:
                try:
                    step(row)
                except Refusal as refusal:
                    self.faults.append(fault_at(row, COLUMN_OF.get(refusal.code, ""), str(refusal.message)))
        self._need_three_administrators()
        if not self.faults:
            calendar.fill(at=self.at)
            load_catalogue(by=self.by, at=self.at)

    def _district(self, row: Row) -> None:
        if not re.fullmatch(r"[0-9]{6}", row["code6"]):
            self._wrong(row, "code6", _("要 6 位数字"))
        elif District.objects.exclude(code6=row["code6"]).exists():
            self._wrong(row, "code6", _("这个数据库已经属于另一个区"))
        elif not District.objects.exists():
            district = District.objects.create(**row.values)
            self._record("district.created", "district", district.pk, None)
            self.added["district"] += 1

    def _street(self, row: Row) -> None:
        district = District.objects.first()
        if not re.fullmatch(r"[0-9]{9}", row["code9"]):
            self._wrong(row, "code9", _("要 9 位数字"))
        elif district and not row["code9"].startswith(district.code6):
            self._wrong(row, "code9", _("要以区的代码 %(code)s 开头") % {"code": district.code6})
        elif not re.fullmatch(r"[A-Z]{1,8}", row["prefix"]):
            self._wrong(row, "prefix", _("要 1 到 8 个大写字母"))
        elif row["code9"] not in self.streets:
            if Street.objects.filter(prefix=row["prefix"]).exists():
                self._wrong(row, "prefix", _("已经有街道用了这个字头"))
                return
            street = Street.objects.create(**row.values)
            self.streets[street.code9] = street.pk
            self._record("street.created", "street", street.pk, street.pk)
            self.added["streets"] += 1

    def _department(self, row: Row) -> None:
        if not self._knows_street(row):
            return
        street = self.streets.get(row["street"])
        if Department.objects.filter(street=street, key=row["key"]).exists():
            return
        services.create_department(
            street_id=street,
            key=row["key"],
            name_zh=row["name_zh"],
            name_en=row["name_en"] or row["name_zh"],
            kind=DepartmentKind(row["kind"]),
            by=self.by,
            at=self.at,
        )
        self.added["departments"] += 1

    def _administrator(self, row: Row) -> None:
        if Person.objects.filter(username=row["username"].lower()).exists():
            return
        person = services.create_person(
            username=row["username"],
            name=row["name"],
            phone=row["phone"],
            account=Account(row["role"]),
            by=self.by,
            at=self.at,
        )
        code = services.make_reset_code(person_id=person.pk, by=self.by, at=self.at)
        self.codes.append((person.username, person.name, code))
        self.added["administrators"] += 1

    def _person(self, row: Row) -> None:
        if not self._knows_street(row):
            return
        street, role = self.streets.get(row["street"]), Role(row["role"])
        person = Person.objects.filter(username=row["username"].lower()).first()
        if person is None:
            person = services.create_person(
                username=row["username"], name=row["name"], phone=row["phone"], street_id=street, by=self.by, at=self.at
            )
            self.added["people"] += 1
        elif person.name != row["name"]:
            self._wrong(row, "name", _("用户名 %(username)s 属于%(name)s") % {"username": person.username, "name": person.name})
            return
        department = self._department_of(row, street)
        if row["department"] and department is None:
            self._wrong(row, "department", _("没有代码为 %(key)s 的部门") % {"key": row["department"]})
        elif not Post.objects.filter(person=person, role=role, department=department, ends_on=None).exists():
            department_id = department.pk if department else None
            where = None if department and department.street_id is None else street
            services.give_post(
                person_id=person.pk, role=role, street_id=where, department_id=department_id, by=self.by, at=self.at
            )
            self.added["posts"] += 1

    def _department_of(self, row: Row, street: int | None) -> Department | None:
        if not row["department"]:
            return None
        named = Department.objects.filter(key=row["department"])
        return named.filter(street=street).first() or named.filter(street=None).first()

    def _knows_street(self, row: Row) -> bool:
        if row["street"] and row["street"] not in self.streets:
            self._wrong(row, "street", _("没有代码为 %(code)s 的街道") % {"code": row["street"]})
            return False
        return True

    def _need_three_administrators(self) -> None:
        held = set(Post.objects.filter(ends_on=None, person__is_active=True).values_list("role", flat=True))
        for word, role in roster.ADMINISTRATORS.items():
            if role not in held and not any(row["role"] == role for row in self.rows[roster.ADMINS.title]):
                words = _("还缺%(role)s：三种管理员要由三个人担任") % {"role": word}
                self.faults.append(Fault(roster.ADMINS.title, 0, "", words))

    def _wrong(self, row: Row, column: str, words: str) -> None:
        self.faults.append(fault_at(row, column, words))

    def _record(self, action: str, kind: str, pk: int, street_id: int | None) -> None:
        audit.record(
            street_id=street_id, person_id=None, action=action, object_kind=kind, object_id=str(pk), at=self.at, facts={}
        )


def _tell(loader: Loader, *, is_check: bool) -> None:
    names = {
        "district": _("区"),
        "streets": _("街道"),
        "departments": _("部门"),
        "administrators": _("管理员"),
        "people": _("人员"),
        "posts": _("岗位"),
    }
    counts = _("、").join(f"{names[key]} {count}" for key, count in loader.added.items()) or _("没有新内容")
    if is_check:
        print(_("检查通过，没有写入。将新增：%(counts)s") % {"counts": counts})
        return
    print(_("已写入：%(counts)s") % {"counts": counts})
    for username, name, code in loader.codes:
        print(_("  %(name)s（%(username)s）的一次性重置码：%(code)s") % {"name": name, "username": username, "code": code})
    if loader.codes:
        print(
            _("重置码 30 分钟内有效，只显示这一次；请当面交给三位管理员，用它在登录页设密码。其他人的由安全管理员在页面上发。")
        )


def _print_code(username: str) -> int:
    """A one-time code for a new password; the second factor is taken off too. For administrators this is the only way."""
    person = Person.objects.active().filter(username=username.strip().lower()).first()
    if person is None:
        print(_("没有用户名为 %(username)s 的在用账号") % {"username": username}, file=sys.stderr)
        return 1
    by, at = Actor.system(), clock.now()
    services.reset_second_factor(person_id=person.pk, by=by, at=at)
    code = services.make_reset_code(person_id=person.pk, by=by, at=at)
    print(_("  %(name)s（%(username)s）的一次性重置码：%(code)s") % {"name": person.name, "username": username, "code": code})
    print(_("30 分钟内有效，只显示这一次；第二因素已取下，登录后要重新设置。"))
    return 0


def _write_settings(file: Path) -> int:
    """A settings file with fresh secrets, readable by its owner only. Never overwrites one."""
    text = (
        "# Jiequ; every setting stands in docs/settings.md. Keep a copy of this file apart from the backups.\n"
        "JIEQU_MODE=production\n"
        "JIEQU_BASE_URL=https://jiequ.example.org\n"
        "JIEQU_ALLOWED_HOSTS=jiequ.example.org\n"
        "JIEQU_TRUSTED_PROXIES=127.0.0.1\n"
        "JIEQU_VAR=/var/lib/jiequ\n"
        "JIEQU_BACKUPS=/var/backups/jiequ\n"
        f"JIEQU_SECRET_KEY={secrets.token_urlsafe(48)}\n"
        f"JIEQU_DATA_KEYS=k1:{secrets.token_hex(32)}\n"
        f"JIEQU_BLIND_KEY={secrets.token_hex(32)}\n"
        f"JIEQU_METRICS_TOKEN={secrets.token_urlsafe(24)}\n"
    )
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        print(_("没有写：%(fault)s") % {"fault": fault}, file=sys.stderr)
        return 1
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    print(_("已写好 %(file)s，请改成您的域名和目录") % {"file": file})
    return 0
