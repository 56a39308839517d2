"""Django's settings. Nothing here decides the process: that is a team's policy."""

from __future__ import annotations

import hashlib
from pathlib import Path

from watchbill.entry.config import channel_settings, database, mailbox_settings, read_config

CONFIG = read_config()
SECRET_KEY = CONFIG.secret
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the address is the operator's; links are made from WATCHBILL_URL, never from the Host header
WATCHBILL_URL = CONFIG.url
SEAL_KEYS = [hashlib.sha256(f"seal:{SECRET_KEY}".encode()).digest()]

DATABASES = {"default": database(CONFIG)}
AUTH_USER_MODEL = "watchbill.Person"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "watchbill.db.apps.WatchbillConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "ninja",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "watchbill.entry.web.middleware.PageMiddleware",
]
ROOT_URLCONF = "watchbill.entry.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "watchbill.entry.web.context.frame",
            ],
            "builtins": [
                "watchbill.entry.web.templatetags.watchbill_tags",
                "watchbill.entry.web.templatetags.people_tags",
                "watchbill.entry.web.templatetags.rota_tags",
                "watchbill.entry.web.templatetags.request_tags",
                "watchbill.entry.web.templatetags.incident_tags",
                "watchbill.entry.web.templatetags.ticket_tags",
                "watchbill.entry.web.templatetags.connector_tags",
                "django.templatetags.static",
            ],
        },
    }
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"

STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "web" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.url.startswith("https://")
CSRF_TRUSTED_ORIGINS = [CONFIG.url]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if CONFIG.trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Sign-in: allauth gives password, passkeys, TOTP, recovery codes and the list of sessions.
ACCOUNT_ADAPTER = "watchbill.entry.web.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody makes this server write to strangers
ACCOUNT_MAX_EMAIL_ADDRESSES = 1
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an account is made by invitation; its contact addresses are verified apart
MFA_TOTP_ISSUER = "Watchbill"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = CONFIG.url.startswith("http://")
USERSESSIONS_TRACK_ACTIVITY = False  # it would write a row for every page that is read, and every live refresh

LOGGING_CONFIG = None
CHANNEL_SETTINGS = channel_settings(CONFIG)
MAILBOX = mailbox_settings()
