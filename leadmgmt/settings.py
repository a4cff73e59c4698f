"""Every setting of the product, from the environment (12-factor). Nonsense raises at start."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from leadmgmt.theme import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def flag(name, default=False):
    """A yes/no variable; anything but the listed words is an error, not a silent no."""
    value = env.str(name, default="1" if default else "0").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: use 1 or 0.")


def required(name, example):
    value = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it, e.g. {name}={example}, or start with `make run`."
        )
    return value


DEBUG = flag("DEBUG")
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG and not flag("BUILDING"):
        raise ImproperlyConfigured("SECRET_KEY is not set. Set it to 50 or more random characters.")
    SECRET_KEY = "only-for-building-and-debugging-" + "x" * 32
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
if not PUBLIC_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"PUBLIC_URL={PUBLIC_URL!r}: begin with http:// or https://.")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="leadmgmt <leads@localhost>")
POSTAL_ADDRESS = env.str("POSTAL_ADDRESS", default="")
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
CURRENCY = env.str("CURRENCY", default="EUR")  # of every amount in this installation
if not (len(CURRENCY) == 3 and CURRENCY.isascii() and CURRENCY.isalpha() and CURRENCY.isupper()):
    raise ImproperlyConfigured(f"CURRENCY={CURRENCY!r}: use an ISO 4217 code such as EUR or USD.")
# Our own people: leads with an address there are kept, badged as tests, never scored or routed.
INTERNAL_DOMAINS = [domain.strip().casefold() for domain in env.list("INTERNAL_DOMAINS", default=[])]
DEMO = flag("DEMO")

INSTALLED_APPS = [
    "leadmgmt.apps.LeadmgmtConfig",
    "distribution",
    "nurturing",
    "scoring",
    "leads",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "leadmgmt.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "csp",
]

MIDDLEWARE = [
    "leadmgmt.outages.DatabaseOutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "leadmgmt.outages.AdminScriptPolicyMiddleware",
    "leadmgmt.outages.NoNulMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "distribution.access.AccessMiddleware",
    "distribution.zone.ZoneMiddleware",
]

ROOT_URLCONF = "leadmgmt.urls"
WSGI_APPLICATION = "leadmgmt.wsgi.application"
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
                "leadmgmt.demo.sandbox.context",
            ]
        },
    }
]

# --- PostgreSQL: the only source of truth -------------------------------------------------------
DATABASE_EXAMPLE = "postgres://user:password@127.0.0.1:5432/leadmgmt"
_database = required("DATABASE_URL", DATABASE_EXAMPLE).startswith(("postgres://", "postgresql://"))
try:
    DATABASES = {"default": env.db("DATABASE_URL") if _database else {}}
except ValueError:  # whose words may hold the password
    DATABASES = {"default": {}}
if not DATABASES["default"].get("NAME"):
    raise ImproperlyConfigured(f"DATABASE_URL must name a PostgreSQL database, e.g. {DATABASE_EXAMPLE}.")
DATABASES["default"] |= {
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        "connect_timeout": 3,
        # Statements that are planned once (scoring.engine.prepared) are not to be planned again for each value.
        "options": "-c timezone=UTC -c jit=off -c lock_timeout=10s -c plan_cache_mode=force_generic_plan",
        "application_name": "leadmgmt",
    }
    | DATABASES["default"].get("OPTIONS", {}),  # e.g. ?sslmode=verify-full
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: doorbells only; nothing in a request waits for it -----------------------------------
REDIS_EXAMPLE = "redis://:password@127.0.0.1:6379/0"
REDIS_URL = required("REDIS_URL", REDIS_EXAMPLE)
if not REDIS_URL.startswith(("redis://", "rediss://")):
    raise ImproperlyConfigured(f"REDIS_URL must name Redis or Valkey, e.g. {REDIS_EXAMPLE}.")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
# What each doorbell rings. A lower app knows the name of the bell, never who answers it.
DOORBELLS = {
    "score": "scoring.tasks.rescore_due",
    "publish": "scoring.tasks.fill_published",
    "route": "distribution.tasks.route_due",
    "touch": "nurturing.tasks.perform_due",
    "notify": "distribution.tasks.send_notices",
}
DOORBELLS_SILENT = False

# --- Mail ---------------------------------------------------------------------------------------
EMAIL_URL = env.str("EMAIL_URL", default="")
EMAIL_TIMEOUT = 20
if EMAIL_URL:
    try:
        _email = env.email_url("EMAIL_URL")
    except (ValueError, ImproperlyConfigured):
        _email = {"EMAIL_HOST": None}
    # smtps is no choice: half of the world reads it as STARTTLS, the other half as TLS from the first byte.
    if not _email["EMAIL_HOST"] or EMAIL_URL.startswith("smtps:"):
        raise ImproperlyConfigured(
            "EMAIL_URL must name a mail server: smtp+tls://user:password@mail.example:587 (STARTTLS), "
            "smtp+ssl://user:password@mail.example:465 (TLS from the first byte) or smtp://mail.example:25 (in the clear)."
        )
    EMAIL_BACKEND = _email["EMAIL_BACKEND"]
    _port = {"smtp+tls": 587, "smtp+ssl": 465}.get(EMAIL_URL.partition(":")[0], 25)
    EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"] or _port
    EMAIL_HOST_USER = _email["EMAIL_HOST_USER"] or ""
    EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_PASSWORD"] or ""
    EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
    EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
else:
    EMAIL_BACKEND = "nurturing.mailbox.MailboxBackend"

# --- Sign-in, security --------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["leads.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["leads.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["leads.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
_errors = ["400", "401", "403", "404", "405", "406", "415", "429", "500", "503"]
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "leadmgmt.api.ApiExceptionHandler",
    "ALLOWED_ERROR_STATUS_CODES": _errors,
    "ERROR_SCHEMAS": dict.fromkeys(_errors, "leads.schema.ErrorSerializer"),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "leadmgmt API",
    "DESCRIPTION": f"""Capture leads, read them with their scores, and learn why.

`.venv/bin/python manage.py api_key NAME` prints a key. A first lead:

```sh
curl -X POST {PUBLIC_URL}/api/v1/leads/ \\
  -H "Authorization: Api-Key $KEY" -H "Content-Type: application/json" \\
  -d '{{"email": "ada@acme.example", "last_name": "Lovelace", "company": "Acme", "company_size": 300}}'
```

More, with examples: `docs/api.md`.
""",
    "VERSION": "1",
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Pages --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "leadmgmt.formats"
STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
# Files are served from where they lie: a few hundred small ones, no build step to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.server": {"level": "WARNING"}},
}
