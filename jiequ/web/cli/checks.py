"""The checks of an installation. Each is a function of the moment that yields findings; none changes anything."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.channels.arrivals import queries as arrivals
from jiequ.core import calendar, insert_only, jobs, secrets
from jiequ.core.models import Street
from jiequ.people.models import Post
from jiequ.people.names import ROLE_NAMES
from jiequ.people.rules import ADMIN_ROLES
from jiequ.web.cli import backup, ready

BACKUP_WITHIN = timedelta(hours=26)
LATE_SECONDS = 120
LEAST_FREE_BYTES = 2 * 1024**3
LEAST_FREE_SHARE = 0.1
OLDEST_POSTGRESQL = 140000
DEMO_KEY = "00" * 32


@dataclass(frozen=True)
class Finding:
    """One sentence for the operator: what is wrong, where, and what to do."""

    words: str
    is_fault: bool = True


def findings(at: datetime) -> list[Finding]:
    """Everything found; without a database of this version only what can be told without it."""
    found = [finding for check in WITHOUT_DATABASE for finding in check(at)]
    try:
        told = database(at)
        found += told
        if not any(finding.is_fault for finding in told):
            found += [finding for check in WITH_DATABASE for finding in check(at)]
    except DatabaseError as error:
        found.append(Finding(_("数据库连不上或读不了：%(error)s") % {"error": str(error).splitlines()[0]}))
    return found


def mode(at: datetime) -> Iterator[Finding]:
    """Development mode has keys that everybody knows."""
    if not settings.PRODUCTION:
        yield Finding(_("现在是 %(mode)s 模式；正式运行请设 JIEQU_MODE=production") % {"mode": settings.MODE})


def keys(at: datetime) -> Iterator[Finding]:
    """Secrets that are short, or the ones of the demo."""
    if len(settings.SECRET_KEY) < 50 or len(set(settings.SECRET_KEY)) < 12:
        yield Finding(_("JIEQU_SECRET_KEY 太短或太简单，请换成至少 50 个随机字符（./run init --settings 会生成）"))
    if DEMO_KEY in settings.DATA_KEYS:
        yield Finding(_("JIEQU_DATA_KEYS 还是演示用的密钥，上报人的身份等于没有加密"))


def addresses(at: datetime) -> Iterator[Finding]:
    """The public address, the hosts that are answered, and what stands in front."""
    base = urlsplit(settings.BASE_URL)
    if base.scheme != "https":
        yield Finding(_("JIEQU_BASE_URL 不是 https:// 开头，密码和照片会明文传送"))
    if "*" in settings.ALLOWED_HOSTS:
        yield Finding(_("JIEQU_ALLOWED_HOSTS 里有 *，任何域名都会被接受；请写明域名"))
    elif base.hostname not in settings.ALLOWED_HOSTS:
        yield Finding(_("JIEQU_ALLOWED_HOSTS 里没有 %(host)s，从 JIEQU_BASE_URL 来的请求都会被拒绝") % {"host": base.hostname})
    if base.scheme == "https" and not settings.TRUSTED_PROXIES:
        words = _(
            "没有设 JIEQU_TRUSTED_PROXIES：所有请求看起来都来自反向代理，按地址的限流会一起算；请填代理的地址，如 127.0.0.1"
        )
        yield Finding(words)


def files(at: datetime) -> Iterator[Finding]:
    """Room on the disks, folders others can read, static files that were fetched."""
    for name, place in (("JIEQU_VAR", settings.VAR), ("JIEQU_BACKUPS", settings.BACKUPS)):
        there = next(folder for folder in (place, *place.parents) if folder.exists())
        room = shutil.disk_usage(there)
        if room.free < LEAST_FREE_BYTES or room.free < room.total * LEAST_FREE_SHARE:
            facts = {"name": name, "folder": place, "free": room.free / 1024**3}
            yield Finding(_("%(name)s（%(folder)s）所在的磁盘只剩 %(free).1f GB") % facts)
    if settings.VAR.exists() and settings.VAR.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH):
        yield Finding(_("%(folder)s 本机任何用户都能读，请 chmod o-rwx") % {"folder": settings.VAR})
    if not (Path(__file__).resolve().parents[1] / "static" / "vendor" / ".lock-hash").exists():
        yield Finding(_("缺少第三方静态文件，请用 ./run 启动一次，或安装打包好的 wheel"))


def backups(at: datetime) -> Iterator[Finding]:
    """A good backup, not older than a day and a little, on another disk if possible."""
    newest = next(iter(backup.backups_in(settings.BACKUPS)), None)
    if newest is None:
        yield Finding(_("%(folder)s 里没有一份完整的备份，请每天运行 ./run backup") % {"folder": settings.BACKUPS})
    elif at - newest.made_at > BACKUP_WITHIN:
        hours = (at - newest.made_at).total_seconds() / 3600
        yield Finding(_("最新的完整备份已是 %(hours)d 小时前的，超过 26 小时；请查看备份任务") % {"hours": hours})
    if settings.BACKUPS.is_relative_to(settings.VAR):
        yield Finding(_("备份和数据放在同一个目录里，磁盘坏了会一起丢；请把 JIEQU_BACKUPS 设到别的磁盘或主机"), is_fault=False)


def database(at: datetime) -> list[Finding]:
    """Reachable, of this version, and as durable as promised."""
    found = list(_sqlite() if connection.vendor == "sqlite" else _postgresql())
    if pending := ready.pending_migrations():
        found.append(Finding(_("数据库还差 %(count)d 步迁移，请运行 ./run migrate") % {"count": pending}))
    return found


def _sqlite() -> Iterator[Finding]:
    for alias in connections:
        yield from _sqlite_file(alias)


def _sqlite_file(alias: str) -> Iterator[Finding]:
    with connections[alias].cursor() as reader:
        reader.execute("PRAGMA synchronous")
        synchronous = reader.fetchone()[0]
        reader.execute("PRAGMA journal_mode")
        journal = reader.fetchone()[0]
    if synchronous != 2 or journal != "wal":
        facts = {"synchronous": synchronous, "journal": journal}
        yield Finding(
            _("SQLite 的 synchronous=%(synchronous)s、journal_mode=%(journal)s，断电可能丢失已确认的内容；应为 2（FULL）和 wal")
            % facts
        )


def _postgresql() -> Iterator[Finding]:
    with connection.cursor() as reader:
        reader.execute(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), usesuper "
            "FROM pg_user WHERE usename = current_user"
        )
        version, encoding, is_super = reader.fetchone()
        reader.execute("SHOW synchronous_commit")
        commit = reader.fetchone()[0]
        reader.execute("SHOW fsync")
        fsync = reader.fetchone()[0]
    if version < OLDEST_POSTGRESQL:
        yield Finding(_("PostgreSQL 是 %(version)d 版，需要 14 或更新") % {"version": version // 10000})
    if encoding != "UTF8":
        yield Finding(_("数据库的编码是 %(encoding)s，需要 UTF8") % {"encoding": encoding})
    if is_super:
        yield Finding(_("DATABASE_URL 的账号是超级用户，可以改写审计；请换成普通账号"))
    if commit == "off" or fsync == "off":
        yield Finding(_("PostgreSQL 关闭了 synchronous_commit 或 fsync，断电可能丢失已确认的内容"))


def audit_rights(at: datetime) -> Iterator[Finding]:
    """The application's account may only add to the audit."""
    if names := insert_only.missing(connection):
        yield Finding(_("审计表缺少只增不改的触发器 %(names)s，请运行 ./run migrate") % {"names": ", ".join(names)})
    if connection.vendor != "postgresql":
        return
    for table in insert_only.TABLES:
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege(%s, 'UPDATE') OR has_table_privilege(%s, 'DELETE')", [table, table])
            if cursor.fetchone()[0]:
                yield Finding(_("应用账号可以修改 %(table)s；请设 DATABASE_OWNER_URL 并运行 ./run migrate") % {"table": table})


def work_calendar(at: datetime) -> Iterator[Finding]:
    """Days that are not known; from 1 November those of next year."""
    for warning in calendar.warnings(at):
        yield Finding(warning.message, is_fault=False)


def people(at: datetime) -> Iterator[Finding]:
    """A street, and three administrators who are three persons."""
    if not Street.objects.filter(is_active=True).exists():
        yield Finding(_("还没有街道，请运行 ./run init"))
    today = timezone.localtime(at).date()
    for role in sorted(ADMIN_ROLES):
        if not Post.objects.held_on(today).filter(role=role, person__is_active=True).exists():
            yield Finding(_("没有在任的%(role)s，请运行 ./run init 补上") % {"role": ROLE_NAMES[role]})


def work(at: datetime) -> Iterator[Finding]:
    """Somebody works the jobs, and none was given up unseen."""
    waiting = jobs.oldest_age_seconds(at)
    if waiting > LATE_SECONDS:
        yield Finding(_("最早的到期任务已等了 %(minutes)d 分钟：任务进程没有运行，或忙不过来") % {"minutes": waiting // 60})
    if (unhandled := arrivals.oldest_waiting_seconds(at)) > LATE_SECONDS:
        facts = {"minutes": unhandled // 60}
        yield Finding(_("微信或企业微信发来的消息已等了 %(minutes)d 分钟没有处理：任务进程没有运行，或忙不过来") % facts)
    if given_up := arrivals.dead().count():
        yield Finding(_("有 %(count)d 条微信或企业微信发来的消息多次处理失败，见“渠道”页") % {"count": given_up})
    if dead := jobs.dead_jobs().count():
        yield Finding(_("有 %(count)d 个任务多次失败后被放弃，见 ./run jobs --dead") % {"count": dead})
    if not settings.SMS_PORTS:
        yield Finding(_("没有配置短信：上报人的通知都会变成人工回电任务"), is_fault=False)
    if stale := secrets.stale_values():
        yield Finding(_("还有 %(count)d 个值用旧密钥加密，旧密钥暂时不能删") % {"count": stale}, is_fault=False)


WITHOUT_DATABASE: tuple[Callable[[datetime], Iterator[Finding]], ...] = (mode, keys, addresses, files, backups)
WITH_DATABASE: tuple[Callable[[datetime], Iterator[Finding]], ...] = (audit_rights, work_calendar, people, work)
