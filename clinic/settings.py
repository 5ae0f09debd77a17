"""The one settings file. Everything that differs between places comes from the environment (`.env.example`).

`CLINIC_MODE=demo` (the default) runs the whole product on an embedded Postgres with invented people.
`CLINIC_MODE=production` refuses to start while anything it needs is missing or unsafe, and says what to set.
"""

import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from clinic import database, environment, security

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_DIR = BASE_DIR / ".local"

MODE = os.environ.get("CLINIC_MODE", "demo")
if MODE not in ("demo", "production"):
    raise ImproperlyConfigured(f"CLINIC_MODE is {MODE!r}; set it to demo or production.")
DEMO = MODE == "demo"
# No variable switches it on: its pages show what patients wrote.
DEBUG = False
environment.read_secret_files()


def required(name: str, hint: str) -> str:
    """The environment variable, or a refusal to start that says what to set."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"Set {name}: {hint}.")
    return value


def demo_secret_key() -> str:
    """A key made once for this checkout and kept with the demo's data."""
    path = LOCAL_DIR / "secret_key"
    if not path.exists():
        LOCAL_DIR.mkdir(exist_ok=True)
        fresh = path.with_name(f"secret_key.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()


# ---- who and where
SECRET_KEY_FALLBACKS = [key for key in os.environ.get("SECRET_KEY_FALLBACKS", "").split(",") if key]
if DEMO:
    SECRET_KEY = os.environ.get("SECRET_KEY") or demo_secret_key()
    PORT = os.environ.get("PORT", "8000")
    SITE_URL = os.environ.get("SITE_URL", f"http://127.0.0.1:{PORT}")
    ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
else:
    SECRET_KEY = required("SECRET_KEY", "50 or more random characters")
    SITE_URL = required("SITE_URL", "the public address, such as https://intake.example.org")
    ALLOWED_HOSTS = required("ALLOWED_HOSTS", "the host names, separated by commas").split(",")
    environment.check_keys(SECRET_KEY, SECRET_KEY_FALLBACKS)
    environment.check_hosts(SITE_URL, ALLOWED_HOSTS)
    SITE_URL = SITE_URL.rstrip("/")

# ---- database
# These change the schema, so they run as the role that owns it; everything else runs as the app role.
OWNER_COMMANDS = {"migrate", "makemigrations", "sqlmigrate", "showmigrations", "pgtrigger"}
_command = sys.argv[1] if len(sys.argv) > 1 and Path(sys.argv[0]).name in ("manage.py", "__main__.py") else ""
AS_OWNER = _command in OWNER_COMMANDS
# screen_answers, check and the like need no database: nothing is started for them. run starts it by itself,
# once it can be told to stop.
_NEEDS_NO_DATABASE = {
    "check",
    "check_templates",
    "collectstatic",
    "compilemessages",
    "demo_code",
    "help",
    "makemessages",
    "run",
    "sbom",
    "screen_answers",
    "write_asvs",
}

if DEMO:
    environment.check_demo(os.environ.get("DATABASE_URL", ""))
else:
    environment.check_database(
        required("DATABASE_URL", "postgres://user:password@host/name of the role that runs the product"),
        os.environ.get("DATABASE_OWNER_URL", ""),
        migrates=_command == "migrate",
    )
if _command in _NEEDS_NO_DATABASE and not os.environ.get("DATABASE_URL"):
    DATABASE_URLS = database.Urls(app="postgres:///not-needed", owner="postgres:///not-needed")
else:
    DATABASE_URLS = database.urls()

_database: dict[str, Any] = dict(
    dj_database_url.parse(
        DATABASE_URLS.owner if AS_OWNER else DATABASE_URLS.app,
        engine="clinic.postgres",
        conn_max_age=60,
        conn_health_checks=True,
    )
)
_database["OPTIONS"] = {
    **_database.get("OPTIONS", {}),
    # For statements whose text never changes (`intake.kept`); all others are never prepared.
    "prepare_threshold": 0,
    "connect_timeout": 5,
    "tcp_user_timeout": 6000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "footing",
}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- applications
INSTALLED_APPS = [
    "clinic",
    "intake",
    # Before wagtail.admin, whose date widgets it gives templates without inline script.
    "education",
    "wagtail.admin",
    "wagtail.snippets",
    "wagtail.users",
    "wagtail.images",
    # Nothing of ours uses documents and sites, but the editor's own menus and API ask for their URLs.
    "wagtail.documents",
    "wagtail.sites",
    "wagtail.search",
    "wagtail",
    "taggit",
    "modelcluster",
    "clinic.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    # Only for the templates that its forms are drawn with (FORM_RENDERER).
    "django.forms",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "clinic.apps.AllauthAccountConfig",
    "allauth.mfa",
    "crispy_forms",
    "pgtrigger",
    "procrastinate.contrib.django",
    "csp",
]

MIDDLEWARE = [
    "clinic.middleware.RequestId",
    "clinic.editor.EditorUrls",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "clinic.middleware.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    # Above: what puts headers on every answer. Below: what may answer by itself.
    "clinic.middleware.EarlyRefusals",
    "clinic.static_files.PackedStaticFiles" if DEMO else "whitenoise.middleware.WhiteNoiseMiddleware",
    "clinic.middleware.DatabaseAway",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "clinic.middleware.CsrfWithoutReferrer",
    "clinic.accounts.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "clinic.door.gate.StaffDoor",
    "clinic.people.emergency.EmergencyDoor",
    "clinic.middleware.ReadableRefusals",
    "clinic.editor.EditorPolicy",
    "clinic.editor.EditorDoor",
]

ROOT_URLCONF = "clinic.urls"
# By which a web request goes that is not for the editor (ADR 0052).
PAGES_URLCONF = "clinic.page_urls"
WSGI_APPLICATION = "clinic.wsgi.application"

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
                "education.clinic_info.context.clinic",
            ],
            "builtins": ["clinic.template_parents"],
        },
    }
]
# Forms find our widget templates among the project's own templates.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("clinic_forms",)
CRISPY_TEMPLATE_PACK = "clinic_forms"

# ---- the lessons' editor
WAGTAIL_SITE_NAME = "i.Athlete Physio"
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAILADMIN_LOGIN_URL = "admin:login"
# It asks nobody outside for anything.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
# A physio's "Approve" saves the form too; whose words they are is told by `Lesson.publish`.
WAGTAIL_WORKFLOW_REQUIRE_REAPPROVAL_ON_EDIT = False
WAGTAIL_CONTENT_LANGUAGES = [("en-us", _("English"))]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("en", _("English"))]
# Lessons are found by the stems of English words.
WAGTAILSEARCH_BACKENDS = {
    "default": {"BACKEND": "wagtail.search.backends.database", "SEARCH_CONFIG": "english"}
}
TAGGIT_CASE_INSENSITIVE = True
WAGTAILIMAGES_IMAGE_FORM_BASE = "education.editor.uploads.PictureForm"
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = security.MAX_PICTURE_BYTES
WAGTAILIMAGES_MAX_IMAGE_PIXELS = security.MAX_PICTURE_PIXELS
MEDIA_ROOT = Path(os.environ.get("MEDIA_DIR", LOCAL_DIR / "media"))
MEDIA_URL = "/media/"

# ---- staff accounts
AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["clinic.accounts.AccountBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "clinic.door.passwords.MaximumLengthValidator"},
    {"NAME": "clinic.door.passwords.OurWordsValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# The second factor: our pages, on what the package keeps and checks (ADR 0039).
MFA_ADAPTER = "clinic.door.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# Clocks of telephones differ: the code before and the one after count too.
MFA_TOTP_TOLERANCE = 1

# ---- cookies, headers
SECURE = not DEMO
_PREFIX = "__Host-" if SECURE else ""
SESSION_ENGINE = "clinic.accounts"
SESSION_COOKIE_NAME = f"{_PREFIX}staff"
SESSION_COOKIE_AGE = int(security.STAFF_SESSION_IDLE.total_seconds())
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# "This account was signed in to here before": a stranger's wrong tries do not close it on this device.
KNOWN_COOKIE_NAME = f"{_PREFIX}known"
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "clinic.views.csrf_failure"
# The patient's own cookies: the session that the date of birth opened, and "this is the same device".
PATIENT_COOKIE_NAME = f"{_PREFIX}intake"
DEVICE_COOKIE_NAME = f"{_PREFIX}device"
DEVICE_COOKIE_AGE = timedelta(days=90)
PATIENT_SESSION_IDLE = timedelta(minutes=30)
PATIENT_SESSION_LIMIT = timedelta(hours=4)
# On the clinic's tablet, which says by a cookie of its own that it is one.
TABLET_COOKIE_NAME = f"{_PREFIX}tablet"
TABLET_SESSION_IDLE = timedelta(minutes=2)

CONTENT_SECURITY_POLICY = security.CONTENT_SECURITY_POLICY
PERMISSIONS_POLICY = security.PERMISSIONS_POLICY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if SECURE:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if os.environ.get("BEHIND_TLS_PROXY") == "1":
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# The only peer whose X-Forwarded-For is believed; empty means nobody's.
TRUSTED_PROXY = os.environ.get("TRUSTED_PROXY", "")

DATA_UPLOAD_MAX_MEMORY_SIZE = security.MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = security.MAX_FIELDS

# ---- static
STATIC_URL = "/static/"
# The demo serves the files where they lie, compressed, and a browser asks again at each page whether they
# changed; production collects, compresses and names them by content.
STATIC_ROOT = None if DEMO else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_AUTOREFRESH = DEMO
WHITENOISE_MAX_AGE = 0 if DEMO else 60

# ---- mail
MAIL_DIR = Path(os.environ.get("MAIL_DIR", LOCAL_DIR / "mail"))
if os.environ.get("EMAIL_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = os.environ["EMAIL_HOST"]
    EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
    EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
    EMAIL_USE_SSL = os.environ.get("EMAIL_USE_SSL", "0") == "1"
    EMAIL_USE_TLS = os.environ.get("EMAIL_USE_TLS", "1" if SECURE and not EMAIL_USE_SSL else "0") == "1"
    if SECURE:
        environment.check_mail(EMAIL_HOST, tls=EMAIL_USE_TLS, ssl=EMAIL_USE_SSL)
    EMAIL_TIMEOUT = 10
elif DEMO:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = MAIL_DIR
else:
    required("EMAIL_HOST", "the mail server that sends invitations and on-call notices")
DEFAULT_FROM_EMAIL = (
    os.environ.get("DEFAULT_FROM_EMAIL", "i.Athlete Physio <visits@clinic.example>")
    if DEMO
    else required("DEFAULT_FROM_EMAIL", "the clinic's sender address")
)
# Where the notice "an intake needs attention" goes. It carries no health information.
ON_CALL_EMAIL = (
    os.environ.get("ON_CALL_EMAIL", "on-call@clinic.example")
    if DEMO
    else required("ON_CALL_EMAIL", "the address of whoever is on call")
)

# Where somebody tells of a hole: an address of the clinic's, in /.well-known/security.txt.
SECURITY_CONTACT = os.environ.get("SECURITY_CONTACT", "")

# ---- language, time, clinic
LANGUAGE_CODE = "en-us"
LANGUAGES = [("en-us", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("CLINIC_TIME_ZONE", "America/Los_Angeles")
EVALUATION_MINUTES = int(os.environ.get("EVALUATION_MINUTES", "60"))

# ---- how long things are kept (ADR 0044)
# A clinical record after the last visit. The database itself takes no fewer than seven.
RECORD_YEARS = int(os.environ.get("RECORD_YEARS", "7"))
if RECORD_YEARS < 7:
    raise ImproperlyConfigured("RECORD_YEARS must be 7 or more: a clinical record is kept that long.")
# Drafts and links that nobody uses any more.
UNUSED_DAYS = int(os.environ.get("UNUSED_DAYS", "30"))
if UNUSED_DAYS < 7:
    raise ImproperlyConfigured("UNUSED_DAYS must be 7 or more: a patient may come back to a form.")

# ---- logs
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "quiet": {"()": "clinic.middleware.QuietErrors"},
    },
    "formatters": {"line": {"()": "clinic.middleware.UtcLine"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["quiet"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Every request line would carry a path, and an invitation's path is a secret.
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        # They tell of every row that the search index takes in, and of every save.
        "django_tasks": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "wagtail": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # It logs job arguments at INFO.
        "procrastinate": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
# W003 looks for Django's own CSRF middleware by name; ours is a subclass of it.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
