"""Settings of the hub. Every value that an operator may set comes from the environment: see `hub/environment.py`."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from hub import csp, media
from hub.environment import Environment
from marketplaces.platform import discover

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR)

DATA_DIR = env.data_dir
SECRET_KEY = env.secret_key()
DEBUG = env("HUB_DEBUG")
HUB_HOST, HUB_PORT, HUB_WORKERS = env("HUB_HOST"), env("HUB_PORT"), env("HUB_WORKERS")
HUB_ADMIN_EMAIL, HUB_ADMIN_PASSWORD = env("HUB_ADMIN_EMAIL"), env("HUB_ADMIN_PASSWORD")
BASE_URL = env.base_url()
ALLOWED_HOSTS = [*env("HUB_ALLOWED_HOSTS"), urlsplit(BASE_URL).hostname or ""]
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_filters",
    "import_export",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "auditlog",
    "hub",
    "hub.trail",
    "marketplaces",
    *discover(BASE_DIR / "marketplaces"),
    "appeals",
]

MIDDLEWARE = [
    "hub.requests.RequestMiddleware",
    "hub.health.HealthMiddleware",
    "hub.security.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "hub.security.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "hub.security.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "hub.trail.listening.TrailMiddleware",
    "hub.middleware.ReaderMiddleware",
    "hub.front.RefusalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hub.login.TwoFactorMiddleware",
    "axes.middleware.AxesMiddleware",
    "hub.odd_values.OddValueMiddleware",
    "hub.middleware.ListActionMiddleware",
]

ROOT_URLCONF = "hub.urls"
WSGI_APPLICATION = "hub.wsgi.application"
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
            ],
        },
    },
]

DATABASES = {"default": env.database()}
MIGRATION_MODULES = {"knox": None, "auditlog": None}  # our own models stand in the place of their tables
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": media.storage(env("HUB_MEDIA_URL")),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# People
AUTH_USER_MODEL = "hub.User"
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # e-mail is unique, but by a constraint on its lower case
    "security.W021",  # whether browsers list the whole domain is for its owner to decide
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_HANDLER = "hub.locks.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # what the message says about the end of the lock stays true
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "hub.locks.username"
AXES_LOCKOUT_CALLABLE = "hub.locks.refuse"
AXES_DISABLE_ACCESS_LOG = True  # the trail has every log-in
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
OTP_TOTP_ISSUER = urlsplit(BASE_URL).hostname
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 1  # after wrong codes: 1, 2, 4, 8 ... seconds of waiting
REQUIRE_2FA = env("HUB_REQUIRE_2FA")
SESSION_IDLE = timedelta(minutes=env("HUB_SESSION_IDLE_MINUTES"))
SESSION_LONGEST = timedelta(hours=env("HUB_SESSION_HOURS"))
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The trail
AUDITLOG_LOGENTRY_MODEL = "trail.TrailEntry"
AUDITLOG_USE_FK_STRING_REPRESENTATION = True
AUDITLOG_DISABLE_ON_RAW_SAVE = True  # rows that are brought back were told when they were written

# Languages and time: Russian first; everything is stored in UTC and shown in the reader's zone
LANGUAGE_CODE = "ru"
LANGUAGES = [("ru", _("Russian")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "hub" / "locale"]
TIME_ZONE = env("HUB_TIME_ZONE")
USE_TZ = True
FORMAT_MODULE_PATH = ["hub.formats"]

# The wire: an https:// address of the hub turns on all that needs it
TRUSTED_PROXIES = env("HUB_TRUSTED_PROXIES")
HTTPS = BASE_URL.startswith("https://")
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # hub.security lets it through from TRUSTED_PROXIES
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.DIRECTIVES}
PERMISSIONS_POLICY = csp.PERMISSIONS

# Mail
globals().update(env.email())
EMAIL_FILE_PATH = str(DATA_DIR / "mail")  # of the backend that writes .eml files
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("HUB_MAIL_FROM")

# Celery: the database is the truth, the broker only a bell. Results are not kept.
SWEEP_SECONDS = env("HUB_SWEEP_SECONDS")
STALE_AFTER_DAYS = env("HUB_STALE_AFTER_DAYS")
CELERY_BROKER_URL = env("REDIS_URL") or "folder://localhost"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"socket_connect_timeout": 3}  # a page that rings a bell waits
if not env("REDIS_URL"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "broker" / "queue"),
        "data_folder_out": str(DATA_DIR / "broker" / "queue"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
    }
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # its answers would pile up in the folder
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "appeals.tasks.sweep", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}},
    "forget_keys": {"task": "hub.tasks.forget_idempotency_keys", "schedule": crontab(hour="3", minute="0")},
    "forget_sessions": {"task": "hub.tasks.forget_sessions", "schedule": crontab(hour="3", minute="10")},
    "forget_uploads": {"task": "hub.tasks.forget_uploads", "schedule": crontab(hour="3", minute="20")},
    "forget_ways_back": {"task": "appeals.tasks.forget_ways_back", "schedule": crontab(minute="20")},
    "stale_directory": {"task": "marketplaces.tasks.tell_of_stale_rows", "schedule": crontab(hour="6", minute="0")},
}

IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.MediaStorage"  # what one process takes another confirms

# What all web processes share for a while. Nothing is lost with it
if env("REDIS_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env("REDIS_URL"),
            "KEY_PREFIX": "hub",
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
        }
    }

# What is sent to the hub: hub.front takes it in
BODY_SECONDS = env("HUB_BODY_SECONDS")
FORM_MAX_BYTES = 256 * 1024 * 1024  # several large files in one form of the workplace

# API
API_MAX_BODY_BYTES = 1_000_000
API_MAX_UPLOAD_BYTES = 21 * 1024 * 1024  # the largest attachment and the form around it
API_REQUESTS_PER_MINUTE = env("HUB_API_REQUESTS_PER_MINUTE")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "hub.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["hub.api.throttling.TokenThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["hub.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["marketplaces.api.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "hub.api_schema.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "hub.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["hub.api.filters.Filters", "hub.api.filters.Ordering"],
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": None, "TOKEN_MODEL": "hub.ApiToken"}
KNOX_TOKEN_MODEL = "hub.ApiToken"  # noqa: S105
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "hub.api.errors.Handler",
    "EXCEPTION_FORMATTER_CLASS": "hub.api.errors.Formatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Seller support hub",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Appeals to the support of marketplaces: whose turn it is, when an answer is due, what comes next."
    " A token is made by `manage.py issue_token EMAIL`; what is not said here of all calls is in docs/api.md.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "ChannelKind": "marketplaces.models.Channel.Kind",
        "TargetKind": "marketplaces.models.ResponseTarget.Kind",
        "DeadlineKind": "appeals.models.Deadline.Kind",
        "EventKind": "appeals.models.Event.Kind",
        "LetterEnum": "marketplaces.models.EscalationStep.Letter",
        "ReplyKind": "appeals.models.Event.ReplyKind",
        "ChannelState": "marketplaces.models.State",
        "DeadlineState": "appeals.models.Deadline.State",
        "ReminderState": "appeals.models.Reminder.State",
        "AppealStatus": "appeals.models.Appeal.Status",
        "Unit": "marketplaces.working_time.Unit",
    },
}

# The workplace: see hub.site for its menu
UNFOLD = {
    "SITE_TITLE": _("Seller support hub"),
    "SITE_HEADER": _("Seller support hub"),
    "SITE_SYMBOL": "forum",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("hub/icon.svg")}],
    "STYLES": [lambda request: static("hub/workplace.css")],
    "SCRIPTS": [
        lambda request: static("hub/access.js"),
        lambda request: static("hub/typing.js"),
        lambda request: static("hub/workplace.js"),
        lambda request: static("hub/review.js"),
        lambda request: static("hub/undo.js"),
    ],
    "DASHBOARD_CALLBACK": "appeals.admin.home.dashboard",
    "SIDEBAR": {"navigation": "hub.site.navigation"},
    "ACCOUNT": {"navigation": "hub.site.account"},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}

METRICS_TOKEN = env("HUB_METRICS_TOKEN")
LOG_FORMAT = env("HUB_LOG_FORMAT")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "hub.logs.formatter"}},
    "filters": {"context": {"()": "hub.logs.Context"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "_granian": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "_granian.asgi.io": {"level": "WARNING"},  # a line for every piece that a reader who has gone did not take
        "django": {"handlers": [], "level": "INFO"},  # not Django's own, which write the line twice
    },
}
