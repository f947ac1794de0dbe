"""Django settings, all from the environment (docs/settings.md). Nothing here needs a server to be running."""

from __future__ import annotations

import contextlib
import sys
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
from csp.constants import NONCE, SELF
from django.core.exceptions import ImproperlyConfigured

from abusedesk.environment import BadSetting, Environment
from abusedesk.log_in import log_in_settings, origins_of
from complaints.notices.timing import QuietHours
from complaints.playbooks.working_time import WorkingTime
from complaints.vocabulary import MeasureKind

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

# --- what kind of start this is
DEMO = env.yes("ABUSEDESK_DEMO")
DEBUG = False
DATA_DIR = Path(env.text("ABUSEDESK_DATA_DIR", str(BASE_DIR / (".demo" if DEMO else ".data")))).absolute()
# Empty is allowed for commands that sign nothing (parse, migrate, imports); servers refuse it: abusedesk/start.py.
KEY_FILE = DATA_DIR / "secret_key"  # made by manage.py make_secret_key
SECRET_KEY = env.read("ABUSEDESK_SECRET_KEY", "", str, "any text", secret=True)
if not SECRET_KEY and not DEMO and KEY_FILE.exists():
    SECRET_KEY = KEY_FILE.read_text().strip()
if DEMO and not SECRET_KEY:
    SECRET_KEY = "demo-only-key-that-a-production-start-refuses"  # noqa: S105 - public on purpose
HAS_SECRET_KEY = bool(SECRET_KEY)  # Django raises when an empty SECRET_KEY is only looked at
WEB_LISTEN = env.listen("ABUSEDESK_WEB_LISTEN", "127.0.0.1:8080")
BASE_URL = env.url("ABUSEDESK_BASE_URL", "http://{}:{}".format(*WEB_LISTEN), ("http", "https")).rstrip("/")
ALLOWED_HOSTS = env.names(
    "ABUSEDESK_ALLOWED_HOSTS", [h for h in {urlsplit(BASE_URL).hostname, "127.0.0.1", "localhost"} if h]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SMTP_LISTEN = env.listen("ABUSEDESK_SMTP_LISTEN", "127.0.0.1:8025")
LMTP_LISTEN = env.listen("ABUSEDESK_LMTP_LISTEN", "127.0.0.1:8024")

# --- database
DATABASE_URL = env.url(
    "DATABASE_URL", f"sqlite:///{DATA_DIR / 'abusedesk.sqlite3'}", ("sqlite", "postgres", "postgresql"), secret=True
)
# Health checks: after a restart of the server the first question on an old connection must not fail.
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    with contextlib.suppress(OSError):  # a folder that cannot be made is told by the database, when one is needed
        Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # IMMEDIATE: a deferred transaction that reads and then writes fails at once with "database is locked".
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous={}; PRAGMA cache_size=-16000;".format(
            env.read(
                "ABUSEDESK_SQLITE_SYNCHRONOUS", "FULL", {"FULL": "FULL", "NORMAL": "NORMAL"}.__getitem__, "FULL, NORMAL"
            )
        ),
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "complaints.User"

# What is counted across processes is counted in the database: refused log-ins. The rest each process keeps for itself.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "complaints_sharedcount",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# --- broker (empty: the embedded valkey of `manage.py run`)
BROKER_URL = env.url(
    "BROKER_URL", "", ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "pyamqp"), secret=True
)

# --- mail out
EMAIL_URL = env.url(
    "EMAIL_URL",
    "smtp://127.0.0.1:8026" if DEMO else "smtp://127.0.0.1:25",
    ("smtp", "smtps", "smtp+tls", "file", "console"),
    secret=True,
)


def working_hours(text: str) -> str:
    WorkingTime.parse(text, zone=ZoneInfo("UTC"))
    return text


def radius_filters(text: str) -> str:
    named = {part.partition("=")[0].strip() for part in text.split(",") if "=" in part}
    if len(named) != len(text.split(",")) or named - {"lift", *MeasureKind}:
        raise ValueError(
            f"each is a measure or lift, an equals sign, and the name of a filter: {', '.join(MeasureKind)}"
        )
    return text


def public_holidays(place: str) -> str:
    from holidays import country_holidays  # half a second that only desks with a country pay

    country, _, part = place.partition("-")
    try:
        country_holidays(country, subdiv=part or None)
    except NotImplementedError as exc:
        raise ValueError(str(exc)) from None
    return place


def quiet_hours(text: str) -> str:
    QuietHours.parse(text)
    return text


def email_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* names for smtp://user:password@host:port, smtps:// (TLS), smtp+tls:// (STARTTLS), file:///dir, console://."""
    parts = urlsplit(url)
    backend = {"file": "filebased", "console": "console"}.get(parts.scheme, "smtp")
    found: dict[str, object] = {"EMAIL_BACKEND": f"django.core.mail.backends.{backend}.EmailBackend"}
    if backend == "smtp":
        found["EMAIL_BACKEND"] = "complaints.notices.backend.EmailBackend"  # knows a mail that may have gone
    if backend == "filebased":
        return found | {"EMAIL_FILE_PATH": parts.path}
    if backend == "smtp":
        found |= {"EMAIL_HOST": parts.hostname or "127.0.0.1", "EMAIL_PORT": parts.port or 25}
        found |= {
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        }
        found |= {"EMAIL_USE_SSL": parts.scheme == "smtps", "EMAIL_USE_TLS": parts.scheme == "smtp+tls"}
    return found


globals().update(email_settings(EMAIL_URL))
EMAIL_TIMEOUT = 20
DESK_NAME = env.text("ABUSEDESK_NAME", "Example Net" if DEMO else "Abuse desk")
DESK_EMAIL = env.mailbox("ABUSEDESK_EMAIL", "abuse@isp.example" if DEMO else "abuse@localhost")
DEFAULT_FROM_EMAIL = f"{DESK_NAME} <{DESK_EMAIL}>"
AUTHSERV_ID = env.domain("ABUSEDESK_AUTHSERV_ID", "")  # RFC 8601 section 2.5; empty: no result is believed
# Mail to customers: seconds in which it can be taken back; the night, when only urgent mail goes; mails to one address.
MAIL_UNDO = env.whole("ABUSEDESK_MAIL_UNDO", 0 if DEMO else 60, low=0, high=3600)
QUIET_HOURS = env.read("ABUSEDESK_QUIET_HOURS", "", quiet_hours, "empty, or hours as 21:00-07:00")
CUSTOMER_MAILS_A_DAY = env.whole("ABUSEDESK_CUSTOMER_MAILS_A_DAY", 0 if DEMO else 10, low=0, high=1000)
FORWARDS_A_DAY = env.whole("ABUSEDESK_FORWARDS_A_DAY", 500, low=1, high=100_000)  # complaints passed on to one desk
# Beyond so many mails of one sender the rest is read in the background (RFC 6650 section 7.5); 0: never.
FLOOD_PER_MINUTE = env.whole("ABUSEDESK_FLOOD_PER_MINUTE", 40 if DEMO else 600, low=0, high=1_000_000)
FLOOD_PER_HOUR = env.whole("ABUSEDESK_FLOOD_PER_HOUR", 6_000, low=0, high=10_000_000)
# Mail to reporters: asked for what is missing, told that an address is not ours. Limits of what a machine sends.
ASK_REPORTERS = env.yes("ABUSEDESK_ASK_REPORTERS", True)
NOT_OURS_REPLY = env.yes("ABUSEDESK_NOT_OURS_REPLY")
ACKNOWLEDGE = env.yes("ABUSEDESK_ACKNOWLEDGE", DEMO)
REPORTER_WAIT_DAYS = env.whole("ABUSEDESK_REPORTER_WAIT_DAYS", 7, low=1, high=90)
REPORTER_MAILS_A_DAY = env.whole("ABUSEDESK_REPORTER_MAILS_A_DAY", 5, low=0, high=1000)  # to one reporter
REPORTER_MAILS_IN_ALL = env.whole("ABUSEDESK_REPORTER_MAILS_IN_ALL", 500, low=0, high=100_000)  # to all, a day
WRITTEN = {path.parent.name: path.parent.name for path in BASE_DIR.glob("templates/notices/*/reporter-ask_missing.txt")}
REPORTER_LANGUAGE = env.read("ABUSEDESK_LANGUAGE", "en", WRITTEN.__getitem__, ", ".join(sorted(WRITTEN)))

# --- checks
PROBE_DOMAIN = env.domain("ABUSEDESK_PROBE_DOMAIN", "probe.isp.example" if DEMO else "")
HELO = env.domain("ABUSEDESK_HELO", "relaycheck.isp.example" if DEMO else "relaycheck.localhost")
DNS_RESOLVERS = env.hosts("ABUSEDESK_DNS", (("127.0.0.1", 8053),) if DEMO else ())
RELAY_PORT = env.whole("ABUSEDESK_RELAY_PORT", 8625 if DEMO else 25, low=1, high=65535)
# Tried beside port 25, where they answer; another main port says that this is no ordinary net.
RELAY_MORE_PORTS = env.ports("ABUSEDESK_RELAY_MORE_PORTS", (587, 465) if RELAY_PORT == 25 else ())
# Our own machines that take mail for the probe domain: what they deliver proves nothing.
PROBE_HOSTS = env.addresses("ABUSEDESK_PROBE_HOSTS")
PROBE_ADDRESS = env.read(
    "ABUSEDESK_PROBE_ADDRESS", "", lambda text: str(ip_address(text)), "one address, as 192.0.2.25"
)
RELAY_INFO_URL = env.text("ABUSEDESK_RELAY_INFO_URL", f"{BASE_URL}/relay-test")  # every test mail names it
RELAY_SECONDS = env.whole("ABUSEDESK_RELAY_SECONDS", 240, low=5, high=480)  # one check, with all ports and connections
RELAY_PER_DAY = env.whole("ABUSEDESK_RELAY_PER_DAY", 500 if DEMO else 12, low=1, high=1000)  # checks of one address
CHECK_RETRY = env.whole("ABUSEDESK_CHECK_RETRY", 60 if DEMO else 600, low=1, high=7200)  # doubles with every try
# Seconds between two checks of one host; seconds a probe may be on its way.
RELAY_PACE = env.whole("ABUSEDESK_RELAY_PACE", 3 if DEMO else 60, low=0, high=86400)
PROBE_WAIT = env.whole("ABUSEDESK_PROBE_WAIT", 15 if DEMO else 900, low=1, high=86400)
# Whose it was: the sources in the order in which they are asked (empty: all of them, by rank), and what they need.
RESOLVER_FILES = sorted(path.stem for path in (BASE_DIR / "complaints/attribution/resolvers").glob("[a-z]*.py"))
RESOLVERS = env.choices("ABUSEDESK_RESOLVERS", RESOLVER_FILES)
ACCOUNT_HEADERS = env.headers("ABUSEDESK_ACCOUNT_HEADERS")
RESOLVER_URL = env.service("ABUSEDESK_RESOLVER_URL")
RESOLVER_KEY = env.read("ABUSEDESK_RESOLVER_KEY", "", str, "any text", secret=True)
RESOLVER_TIMEOUT = env.whole("ABUSEDESK_RESOLVER_TIMEOUT", 5, low=1, high=60)  # seconds for a whole batch
if RESOLVER_URL and len(RESOLVER_KEY) < 16:
    env.faults.append("ABUSEDESK_RESOLVER_KEY=(hidden): ABUSEDESK_RESOLVER_URL needs a key of 16 characters or more")
RDAP_URL = env.service("ABUSEDESK_RDAP_URL")
# Seconds without news after which a feed of leases is not waited for: its leases name owners with less confidence.
FEED_SILENCE = env.whole("ABUSEDESK_FEED_SILENCE", 3600, low=60, high=30 * 86400)
CLOCK_TOLERANCE = env.whole("ABUSEDESK_CLOCK_TOLERANCE", 300, low=0, high=86400)
CHECK_LISTS_FILE = env.text("ABUSEDESK_LISTS_FILE")  # another blacklist catalogue than the shipped one
SWEEP_LISTS = env.yes("ABUSEDESK_SWEEP_LISTS")  # ask the blacklists about all assigned addresses, once a day
API_RATE = env.whole("ABUSEDESK_API_RATE", 600, low=1, high=1_000_000)  # calls a minute and key, in each web process
SWEEP_SECONDS = env.whole("ABUSEDESK_SWEEP_SECONDS", 2 if DEMO else 10, low=1, high=300)  # between two sweeps
MAX_MESSAGE_BYTES = env.whole("ABUSEDESK_MAX_MESSAGE_BYTES", 32 * 1024 * 1024, low=64 * 1024, high=1024**3)

# --- measures on a line: how they reach the network; by_hand asks a colleague
NEEDS = {"by_hand": (), "webhook": ("url", "key"), "command": ("command",), "radius": ("server", "secret", "filters")}
ADAPTERS = {name: name for name in NEEDS}
MEASURES_ADAPTER = env.read("ABUSEDESK_MEASURES", "by_hand", ADAPTERS.__getitem__, ", ".join(NEEDS))
MEASURES: dict[str, str] = {
    "url": env.service("ABUSEDESK_MEASURES_URL"),
    "key": env.read("ABUSEDESK_MEASURES_KEY", "", str, "any text", secret=True),
    "command": env.text("ABUSEDESK_MEASURES_COMMAND"),
    "server": env.text("ABUSEDESK_RADIUS_SERVER"),  # host:port, where CoA requests go; RFC 5176 names port 3799
    "secret": env.read("ABUSEDESK_RADIUS_SECRET", "", str, "any text", secret=True),
    "filters": env.read(
        "ABUSEDESK_RADIUS_FILTERS", "", radius_filters, "as limit_25=abuse-25,quarantine=garden,lift=default"
    ),
}
for missing in [name for name in NEEDS[MEASURES_ADAPTER] if not MEASURES[name]]:
    env.faults.append(f"ABUSEDESK_MEASURES={MEASURES_ADAPTER!r} needs {missing} as well: see docs/measures.md")
MEASURE_UNDO = env.whole("ABUSEDESK_MEASURE_UNDO", 600, low=0, high=86400)  # seconds in which a measure can be undone

# --- the rest that the environment decides
BEHIND_PROXY = env.yes("ABUSEDESK_BEHIND_PROXY")
WORKING_HOURS = env.read(
    "ABUSEDESK_WORKING_HOURS", "mon-fri 09:00-17:00", working_hours, "days and hours, as mon-fri 09:00-17:00"
)
HOLIDAYS = env.read("ABUSEDESK_HOLIDAYS", "", public_holidays, "a country, or a part of it, as FR or DE-BY")
DISPLAY_TIME_ZONE = env.read(
    "ABUSEDESK_TIME_ZONE", "UTC", lambda name: ZoneInfo(name).key, "a zone name, as Europe/Paris"
)
LOG_LEVELS = {level: level for level in ("DEBUG", "INFO", "WARNING", "ERROR")}
LOG_LEVEL = env.read("ABUSEDESK_LOG_LEVEL", "INFO", LOG_LEVELS.__getitem__, ", ".join(LOG_LEVELS))

LOG_IN = log_in_settings(env, base_url=BASE_URL, name=DESK_NAME, behind_proxy=BEHIND_PROXY)
globals().update(LOG_IN)
SECOND_FACTOR: str = LOG_IN["SECOND_FACTOR"]  # who needs one: risky, everybody, nobody
READ_LOG_DAYS: int = LOG_IN["READ_LOG_DAYS"]
APPROVAL_HOURS: int = LOG_IN["APPROVAL_HOURS"]  # a proposal that nobody agreed to ends after these
SESSION_IDLE: int = LOG_IN["SESSION_IDLE"]  # seconds
ACCOUNT_REAUTHENTICATION_TIMEOUT: int = LOG_IN["ACCOUNT_REAUTHENTICATION_TIMEOUT"]  # seconds; 0 asks nobody again

try:
    env.seal()
except BadSetting as exc:
    raise ImproperlyConfigured(str(exc)) from None

# --- Django
INSTALLED_APPS = [
    "complaints.desk.admin_site.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "complaints",  # before allauth, whose pages it draws anew
    *LOG_IN["LOG_IN_APPS"],
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "abusedesk.headers.BrowserHeaders",
    "abusedesk.body_limit.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "complaints.desk.session_limits.SessionLimits",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "abusedesk.urls"
WSGI_APPLICATION = "abusedesk.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "complaints.desk.context.site",
            ],
        },
    }
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "desk:queue"
LOGOUT_REDIRECT_URL = "login"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "abusedesk.formats"
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic step to forget; the files are few and small
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- the browser's side of safety
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": [SELF, *origins_of(LOG_IN)],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"  # a portal link must not leak in a Referer
X_FRAME_OPTIONS = "DENY"
# Once seen by https, never by http again: a portal link must not travel in the clear. Sent with https answers only.
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BASE_URL.startswith("https://") else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"portal_keys": {"()": "abusedesk.logs.HidePortalKeys"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": sys.stderr,
            "formatter": "line",
            "filters": ["portal_keys"],
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
}
