"""Every setting of Jiequ, read from the environment once. docs/settings.md lists them; a test compares the two."""

from __future__ import annotations

import os
import re
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from jiequ.doors.wechat_pages.rules import verify_files

from .basemaps import layers_of, origins
from .database import databases
from .ops.logs import configuration as log_configuration

BASE_DIR = Path(__file__).resolve().parents[2]
MODE = os.environ.get("JIEQU_MODE", "development")
if MODE not in {"demo", "development", "test", "production"}:
    raise ImproperlyConfigured(f"JIEQU_MODE must be demo, development, test or production, not {MODE!r}.")
DEMO = MODE == "demo"
PRODUCTION = MODE == "production"
VAR = Path(os.environ.get("JIEQU_VAR") or BASE_DIR / "var").resolve()
NOT_IN_DEMO = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "JIEQU_SECRET_KEY",
    "JIEQU_DATA_KEYS",
    "JIEQU_BLIND_KEY",
    "JIEQU_TRUSTED_PROXIES",
)
for _name in NOT_IN_DEMO if DEMO else ():
    if os.environ.get(_name):
        raise ImproperlyConfigured(f"The demo lets anybody sign in with one click: it refuses to start while {_name} is set.")


def _secret(name: str, fallback: str) -> str:
    """A secret from the environment; production refuses to start without it."""
    value = os.environ.get(name, "")
    if value:
        return value
    if PRODUCTION:
        raise ImproperlyConfigured(f"{name} must be set in production.")
    return fallback


def hours(name: str, text: str) -> tuple[time, time]:
    """Two times of day, ``08:00-21:00``; the first before the second."""
    try:
        opens, closes = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ImproperlyConfigured(f"{name} must read 08:00-21:00, not {text!r}.") from None
    if opens >= closes:
        raise ImproperlyConfigured(f"{name}: {text!r} ends before it begins.")
    return opens, closes


def names_of(text: str) -> list[str]:
    """Names, comma-separated."""
    return [part.strip() for part in text.split(",") if part.strip()]


def networks(name: str, text: str) -> list[str]:
    """Addresses or networks, comma-separated: ``10.20.0.0/16,192.168.7.4``."""
    try:
        return [str(ip_network(part)) for part in names_of(text)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must name addresses or networks such as 10.20.0.0/16: {error}.") from None


def whole(name: str, text: str, unit: str = "", most: int | None = None) -> int:
    """A whole number above 0, at most ``most``; ``unit`` says of what."""
    if not text.strip().isdecimal() or int(text) < 1 or (most is not None and int(text) > most):
        what = f"a whole number{f' of {unit}' if unit else ''} " + (f"from 1 to {most}" if most else "above 0")
        raise ImproperlyConfigured(f"{name} must be {what}, not {text!r}.")
    return int(text)


def files_of(name: str, text: str) -> dict[str, str]:
    """Files that prove a domain, comma-separated: ``MP_verify_AbC.txt``; content by name."""
    try:
        return verify_files(names_of(text))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must name files such as MP_verify_AbC123.txt, not {error}.") from None


def origin_of(url: str) -> str:
    """Scheme and host of an address, for the content policy."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


SECRET_KEY = _secret("JIEQU_SECRET_KEY", "only-for-demo-and-tests-" + "x" * 40)
DATA_KEYS = _secret("JIEQU_DATA_KEYS", "k1:" + "00" * 32)
BLIND_KEY = os.environ.get("JIEQU_BLIND_KEY", "")
BASE_URL = os.environ.get("JIEQU_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = [
    host.strip() for host in os.environ.get("JIEQU_ALLOWED_HOSTS", "127.0.0.1,localhost,testserver").split(",") if host.strip()
] + ["127.0.0.1"]  # health checks and scrapes from this computer
CSRF_TRUSTED_ORIGINS = [BASE_URL]
DEBUG = False
IS_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
LIVE_URL = os.environ.get("JIEQU_LIVE_URL", "/live/stream" if PRODUCTION else "")
TILES_URL = os.environ.get("JIEQU_TILES_URL", "")
PHONES_URL = os.environ.get("JIEQU_PHONES_URL", "")
TILES = Path(os.environ.get("JIEQU_TILES") or VAR / "tiles").resolve()
MAP_LAYERS = layers_of(os.environ.get("JIEQU_MAP_LAYERS", ""))
CONNECT_SOURCES = [
    "'self'",
    *([LIVE_URL.rpartition("/live/")[0]] if "://" in LIVE_URL else []),
    *([TILES_URL.rpartition("/tiles/")[0]] if "://" in TILES_URL else []),
    *origins(MAP_LAYERS),
]
METRICS_TOKEN = os.environ.get("JIEQU_METRICS_TOKEN", "")
BACKUPS = Path(os.environ.get("JIEQU_BACKUPS") or VAR / "backups").resolve()
LOGGING = log_configuration(os.environ.get("JIEQU_LOG_LEVEL", "INFO"))

DATABASES = databases(os.environ, VAR / ("demo.sqlite3" if DEMO else "jiequ.sqlite3"))
DATABASE_ROUTERS = ["jiequ.channels.arrivals.router.ArrivalsRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False
MEDIA_ROOT = VAR / "media"
EXPORTS = VAR / "exports"
TRIAGE = VAR / "triage"
PDF_FONT = os.environ.get("JIEQU_PDF_FONT", "")
PICTURES_ACCEL = os.environ.get("JIEQU_PICTURES_ACCEL", "")
TRUSTED_PROXIES = names_of(os.environ.get("JIEQU_TRUSTED_PROXIES", ""))
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # a body without files; files have their own limits
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 20
MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_PIECE_BYTES = 8 * 1024 * 1024  # of a resumable upload, streamed to the disk

SMS_PORTS = names_of(os.environ.get("JIEQU_SMS_PORTS", "" if PRODUCTION else "stub"))
if PRODUCTION and "stub" in SMS_PORTS:
    raise ImproperlyConfigured("JIEQU_SMS_PORTS: the stub port sends nothing; production does not take it.")
SMS_API = os.environ.get("JIEQU_SMS_API", "https://dysmsapi.aliyuncs.com").rstrip("/")
SMS_KEY_ID = os.environ.get("JIEQU_SMS_KEY_ID", "")
SMS_KEY_SECRET = os.environ.get("JIEQU_SMS_KEY_SECRET", "")
SMS_TEMPLATES = os.environ.get("JIEQU_SMS_TEMPLATES", "")
SMS_A_MINUTE = whole("JIEQU_SMS_A_MINUTE", os.environ.get("JIEQU_SMS_A_MINUTE", "6000"))
SMS_CALLBACK_SECRET = os.environ.get("JIEQU_SMS_CALLBACK_SECRET", "")
if SMS_CALLBACK_SECRET and not re.fullmatch(r"[A-Za-z0-9_-]{24,100}", SMS_CALLBACK_SECRET):
    raise ImproperlyConfigured("JIEQU_SMS_CALLBACK_SECRET must be 24 to 100 letters, digits, - and _: it stands in an address.")
MAIL_HOST = os.environ.get("JIEQU_MAIL_HOST", "")
MAIL_TLS = os.environ.get("JIEQU_MAIL_TLS", "starttls")
if MAIL_TLS not in {"starttls", "tls", "none"}:
    raise ImproperlyConfigured(f"JIEQU_MAIL_TLS must be starttls, tls or none, not {MAIL_TLS!r}.")
MAIL_PORT = whole(
    "JIEQU_MAIL_PORT", os.environ.get("JIEQU_MAIL_PORT") or {"starttls": "587", "tls": "465", "none": "25"}[MAIL_TLS]
)
MAIL_USER = os.environ.get("JIEQU_MAIL_USER", "")
MAIL_PASSWORD = os.environ.get("JIEQU_MAIL_PASSWORD", "")
MAIL_FROM = os.environ.get("JIEQU_MAIL_FROM", "")
if MAIL_HOST and "@" not in MAIL_FROM:
    raise ImproperlyConfigured("JIEQU_MAIL_HOST needs JIEQU_MAIL_FROM, the address in whose name letters go out.")
WAYS = names_of(os.environ.get("JIEQU_WAYS", "wecom,wechat_template,wechat_subscription,wechat_service,sms,email"))
WECOM_CORPID = os.environ.get("JIEQU_WECOM_CORPID", "")
WECOM_AGENTID = os.environ.get("JIEQU_WECOM_AGENTID", "")
WECOM_SECRET = os.environ.get("JIEQU_WECOM_SECRET", "")
WECOM_TOKEN = os.environ.get("JIEQU_WECOM_TOKEN", "")
WECOM_AES_KEY = os.environ.get("JIEQU_WECOM_AES_KEY", "")
WECOM_CONTACTS_SECRET = os.environ.get("JIEQU_WECOM_CONTACTS_SECRET", "")
WECOM_CONTACTS_TOKEN = os.environ.get("JIEQU_WECOM_CONTACTS_TOKEN", "")
WECOM_CONTACTS_AES_KEY = os.environ.get("JIEQU_WECOM_CONTACTS_AES_KEY", "")
WECOM_API = os.environ.get("JIEQU_WECOM_API", "https://qyapi.weixin.qq.com").rstrip("/")
WECOM_OPEN = os.environ.get("JIEQU_WECOM_OPEN", "https://open.weixin.qq.com").rstrip("/")
if WECOM_CORPID and not (WECOM_AGENTID.isdigit() and WECOM_SECRET):
    raise ImproperlyConfigured("JIEQU_WECOM_CORPID needs JIEQU_WECOM_AGENTID (a number) and JIEQU_WECOM_SECRET.")
DINGTALK_TOKEN = os.environ.get("JIEQU_DINGTALK_TOKEN", "")
DINGTALK_SECRET = os.environ.get("JIEQU_DINGTALK_SECRET", "")
DINGTALK_KEYWORD = os.environ.get("JIEQU_DINGTALK_KEYWORD", "")
DINGTALK_API = os.environ.get("JIEQU_DINGTALK_API", "https://oapi.dingtalk.com").rstrip("/")
WECHAT_APPID = os.environ.get("JIEQU_WECHAT_APPID", "")
WECHAT_SECRET = os.environ.get("JIEQU_WECHAT_SECRET", "")
WECHAT_OPEN = os.environ.get("JIEQU_WECHAT_OPEN", "https://open.weixin.qq.com").rstrip("/")
WECHAT_API = os.environ.get("JIEQU_WECHAT_API", "https://api.weixin.qq.com").rstrip("/")
_WECHAT_SCRIPTS = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js,https://res2.wx.qq.com/open/js/jweixin-1.6.0.js"
WECHAT_JSSDK = names_of(os.environ.get("JIEQU_WECHAT_JSSDK", _WECHAT_SCRIPTS))
WECHAT_VERIFY_FILES = files_of("JIEQU_WECHAT_VERIFY_FILES", os.environ.get("JIEQU_WECHAT_VERIFY_FILES", ""))
WECOM_JSSDK = names_of(os.environ.get("JIEQU_WECOM_JSSDK", "https://res.wx.qq.com/open/js/jweixin-1.2.0.js"))
_SCRIPTS = [*(WECHAT_JSSDK if WECHAT_APPID else []), *(WECOM_JSSDK if WECOM_CORPID else [])]
SCRIPT_SOURCES = ["'self'", *dict.fromkeys(origin_of(script) for script in _SCRIPTS)]
CONNECT_SOURCES += SCRIPT_SOURCES[1:]
WECHAT_TOKEN = os.environ.get("JIEQU_WECHAT_TOKEN", "")
WECHAT_AES_KEY = os.environ.get("JIEQU_WECHAT_AES_KEY", "")
if WECHAT_AES_KEY and (len(WECHAT_AES_KEY) != 43 or not WECHAT_AES_KEY.isalnum()):
    raise ImproperlyConfigured("JIEQU_WECHAT_AES_KEY must be the 43 letters and digits of the account's EncodingAESKey.")
WECHAT_MP = os.environ.get("JIEQU_WECHAT_MP", "https://mp.weixin.qq.com").rstrip("/")
WECHAT_PICTURE_HOSTS = names_of(os.environ.get("JIEQU_WECHAT_PICTURE_HOSTS", "qpic.cn"))
CALLBACK_SECONDS = whole("JIEQU_CALLBACK_SECONDS", os.environ.get("JIEQU_CALLBACK_SECONDS", "300"), "seconds", 24 * 3600)
HOTLINE_FOLDER = os.environ.get("JIEQU_HOTLINE_FOLDER", "")
WEBHOOK_NETWORKS = networks("JIEQU_WEBHOOK_NETWORKS", os.environ.get("JIEQU_WEBHOOK_NETWORKS", ""))
MODEL_URL = os.environ.get("JIEQU_MODEL_URL", "").rstrip("/")
MODEL_NAME = os.environ.get("JIEQU_MODEL_NAME", "")
MODEL_KEY = os.environ.get("JIEQU_MODEL_KEY", "")
MODEL_SECONDS = whole("JIEQU_MODEL_SECONDS", os.environ.get("JIEQU_MODEL_SECONDS", "8"), "seconds", 20)
if bool(MODEL_URL) != bool(MODEL_NAME):
    raise ImproperlyConfigured("JIEQU_MODEL_URL and JIEQU_MODEL_NAME go together: the language model is off without both.")
SENSE = Path(os.environ.get("JIEQU_SENSE") or VAR / "sense").resolve()
SENSE_CAMERAS = Path(os.environ["JIEQU_SENSE_CAMERAS"]).resolve() if os.environ.get("JIEQU_SENSE_CAMERAS") else None
SENSE_UPLOAD_GB = whole("JIEQU_SENSE_UPLOAD_GB", os.environ.get("JIEQU_SENSE_UPLOAD_GB", "50"), "gigabytes", 1000)
SENSE_PROCESSES = whole("JIEQU_SENSE_PROCESSES", os.environ.get("JIEQU_SENSE_PROCESSES") or str(os.cpu_count() or 1))
SENSE_TORCH_PYTHON = os.environ.get("JIEQU_SENSE_TORCH_PYTHON", "")
SENSE_DASK = os.environ.get("JIEQU_SENSE_DASK", "")
SENSE_S3_BUCKET = os.environ.get("JIEQU_SENSE_S3_BUCKET", "")
SENSE_S3_ENDPOINT = os.environ.get("JIEQU_SENSE_S3_ENDPOINT", "").rstrip("/")
SENSE_S3_KEY_ID = os.environ.get("JIEQU_SENSE_S3_KEY_ID", "")
SENSE_S3_SECRET = os.environ.get("JIEQU_SENSE_S3_SECRET", "")
SENSE_S3_REGION = os.environ.get("JIEQU_SENSE_S3_REGION", "")
SENSE_S3_STYLE = os.environ.get("JIEQU_SENSE_S3_STYLE") or "path"
if SENSE_S3_STYLE not in ("path", "virtual"):
    raise ImproperlyConfigured(f"JIEQU_SENSE_S3_STYLE must be path or virtual, not {SENSE_S3_STYLE!r}.")
RESIDENT_HOURS = hours("JIEQU_RESIDENT_HOURS", os.environ.get("JIEQU_RESIDENT_HOURS", "08:00-21:00"))

CHAT_WINDOW_MINUTES = whole("JIEQU_CHAT_WINDOW_MINUTES", os.environ.get("JIEQU_CHAT_WINDOW_MINUTES", "30"), "minutes", 1440)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "jiequ.core",
    "jiequ.people",
    "jiequ.grid",
    "jiequ.channels",
    "jiequ.channels.tokens",
    "jiequ.channels.arrivals",
    "jiequ.channels.wecom",
    "jiequ.channels.dingtalk",
    "jiequ.channels.wechat",
    "jiequ.triage",
    "jiequ.cases",
    "jiequ.sense",
    "jiequ.doors.chat",
    "jiequ.doors.cards",
    "jiequ.doors.wechat_pages",
    "jiequ.doors.open311",
    "jiequ.doors.hotline",
    "jiequ.insight",
    "jiequ.web",
]
AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["jiequ.people.backends.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
LOGIN_URL = "people:sign_in"
OIDC_ISSUER = os.environ.get("JIEQU_OIDC_ISSUER", "").rstrip("/")
OIDC_CLIENT_ID = os.environ.get("JIEQU_OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = os.environ.get("JIEQU_OIDC_CLIENT_SECRET", "")
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("JIEQU_OIDC_ISSUER needs JIEQU_OIDC_CLIENT_ID.")
if PRODUCTION and OIDC_ISSUER and not OIDC_ISSUER.startswith("https://"):
    raise ImproperlyConfigured("JIEQU_OIDC_ISSUER must begin with https:// in production.")
SESSION_ENGINE = "jiequ.people.sessions"
SESSION_COOKIE_NAME = "jiequ_session"
MIDDLEWARE = [
    "jiequ.web.ops.logs.RequestLog",
    "jiequ.core.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "jiequ.core.middleware.RequestGuard",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "jiequ.core.middleware.Refusals",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "jiequ.people.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "jiequ.people.middleware.AccessMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "jiequ.web.urls"
CSRF_FAILURE_VIEW = "jiequ.core.http.csrf_failure"
REFUSAL_SHAPE = ""  # what answers every refusal of a process without pages
REFUSAL_PAGE, REFUSAL_PART, FAULT_PAGE = "web/error.html", "web/parts/refusal.html", "web/500.html"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("jiequ.web.folding.Loader", ["django.template.loaders.app_directories.Loader"])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "jiequ.web.shell.shell",
            ],
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [Path(__file__).resolve().parents[1] / "doors" / "locale"]  # the doors share one catalogue
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True
GUIDE_FOLDER = Path(__file__).resolve().parent / "guide"  # where a wheel carries it
if not GUIDE_FOLDER.is_dir():
    GUIDE_FOLDER = BASE_DIR / "docs" / "guide"
STATIC_URL = "/static/"
STATICFILES_DIRS = [("guide", GUIDE_FOLDER / "pictures"), ("guide-thumbs", GUIDE_FOLDER / "thumbs")]
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "jiequ.web.ops.static.HashedFiles"
        if PRODUCTION or DEMO
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE in {"development", "test"}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 0 if WHITENOISE_USE_FINDERS else 3600
