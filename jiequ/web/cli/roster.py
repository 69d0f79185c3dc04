"""The sheets of the roster workbook and an invented example."""

from __future__ import annotations

from jiequ.cases import catalogue
from jiequ.people.names import DEPARTMENT_KIND_NAMES, ROLE_NAMES
from jiequ.people.rules import ADMIN_ROLES, CASE_ROLES, Role
from jiequ.web.cli.workbook import Column, Sheet

ROLES = {str(ROLE_NAMES[role]): role.value for role in Role if role in CASE_ROLES}
ADMINISTRATORS = {str(ROLE_NAMES[role]): role.value for role in Role if role in ADMIN_ROLES}
KINDS = {str(name): kind.value for kind, name in DEPARTMENT_KIND_NAMES.items()}

# The headings are the file's own words, the same whatever language the terminal speaks.
DISTRICT = Sheet(
    "区",  # data
    "District",
    (
        Column("name_zh", "区名", "Name"),  # data
        Column("name_en", "英文名", "English name", False),  # data
        Column("code6", "行政区划代码（6 位）", "Code"),  # data
        Column("sponsor_unit", "主办单位", "Sponsor", False),  # data
        Column("filing_number", "备案号", "Filing number", False),  # data
    ),
)
STREETS = Sheet(
    "街道",  # data
    "Streets",
    (
        Column("name_zh", "名称", "Name"),  # data
        Column("name_en", "英文名", "English name", False),  # data
        Column("code9", "代码（9 位）", "Code"),  # data
        Column("prefix", "编号字头", "Prefix"),  # data
    ),
)
DEPARTMENTS = Sheet(
    "部门",  # data
    "Departments",
    (
        Column("street", "街道代码", "Street code", False),  # data
        Column("key", "代码", "Key"),  # data
        Column("name_zh", "名称", "Name"),  # data
        Column("name_en", "英文名", "English name", False),  # data
        Column("kind", "类别", "Kind", True, KINDS),  # data
    ),
)
ADMINS = Sheet(
    "管理员",  # data
    "Administrators",
    (
        Column("role", "类别", "Kind", True, ADMINISTRATORS),  # data
        Column("username", "用户名", "User name"),  # data
        Column("name", "姓名", "Name"),  # data
        Column("phone", "手机", "Phone"),  # data
    ),
)
PEOPLE = Sheet(
    "人员",  # data
    "People",
    (
        Column("username", "用户名", "User name"),  # data
        Column("name", "姓名", "Name"),  # data
        Column("phone", "手机", "Phone", False),  # data
        Column("street", "街道代码", "Street code", False),  # data
        Column("role", "岗位", "Role", True, ROLES),  # data
        Column("department", "部门代码", "Department key", False),  # data
    ),
)
SHEETS = (DISTRICT, STREETS, DEPARTMENTS, ADMINS, PEOPLE)

_STREET = "990106001"


def examples() -> dict[str, list[dict[str, str]]]:
    """Invented rows; the departments are those that the starter catalogue of event types names."""
    departments = [
        {**row, "kind": _word(KINDS, row["kind"]), "street": "" if row["kind"] == "bureau" else _STREET}
        for row in catalogue.departments()
    ]
    return {
        DISTRICT.title: [{"name_zh": "示例区", "name_en": "Example District", "code6": "990106"}],  # data
        STREETS.title: [
            {"name_zh": "示例街道", "name_en": "Example Street", "code9": _STREET, "prefix": "SL"},  # data
        ],
        DEPARTMENTS.title: departments,
        ADMINS.title: [
            {"role": word, "username": f"admin{number}", "name": f"{word}甲", "phone": f"1390000000{number}"}  # data
            for number, word in enumerate(ADMINISTRATORS, 1)
        ],
        PEOPLE.title: [
            {
                "username": "zhang.san",
                "name": "张三",
                "phone": "13900000011",
                "street": _STREET,
                "role": _role(Role.ACCEPTOR),
            },  # data
            {
                "username": "zhang.san",
                "name": "张三",
                "phone": "13900000011",
                "street": _STREET,
                "role": _role(Role.DISPATCHER),
            },  # data
            {
                "username": "li.si",
                "name": "李四",
                "phone": "13900000012",
                "street": _STREET,
                "role": _role(Role.GRID_WORKER),
            },  # data
        ],
    }


def _role(role: Role) -> str:
    return _word(ROLES, role.value)


def _word(words: dict[str, str], value: str) -> str:
    return next(word for word, known in words.items() if known == value)
