"""What the environment says, read safely: secrets from files that nobody else reads, refusals with a hint.

Every check raises `ImproperlyConfigured` with what to set; `clinic.settings` calls them first of all.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# What may stand in a file instead, named by the variable with _FILE behind it.
SECRETS: Final = (
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "EMAIL_HOST_PASSWORD",
)
# Roles that a database server comes with, and names that say that somebody is one.
SUPERUSERS: Final = ("postgres", "root", "rdsadmin", "cloudsqlsuperuser", "azure_superuser", "doadmin")
# On the way to these nothing can be read on the line; "" is a socket.
LOOPBACK: Final = ("", "localhost", "127.0.0.1", "::1")


def read_secret_files() -> None:
    """Put what `NAME_FILE` names into `NAME`, for this process and those it starts."""
    for name in SECRETS:
        path = os.environ.get(f"{name}_FILE", "")
        if not path:
            continue
        if os.environ.get(name):
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: set one of them.")
        os.environ[name] = read_secret(name, Path(path))


def read_secret(name: str, path: Path) -> str:
    """The secret in a file. One that others can read, or that is no file, is refused."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(64 * 1024)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise ImproperlyConfigured(f"{name}_FILE can be read by others: chmod 600 it.")
    try:
        secret = text.decode().strip()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name}_FILE holds no text.") from None
    if not secret:
        raise ImproperlyConfigured(f"{name}_FILE is empty.")
    return secret


def check_keys(key: str, fallbacks: Sequence[str]) -> None:
    """Long, and no pattern; an old key is held to the same, since it still opens sessions."""
    for name, one in (("SECRET_KEY", key), *(("SECRET_KEY_FALLBACKS", old) for old in fallbacks)):
        if len(one) < 50 or len(set(one)) < 12 or one.startswith("django-insecure-"):
            raise ImproperlyConfigured(f"{name} is weak: use 50 or more random characters.")
    if key in fallbacks:
        raise ImproperlyConfigured("SECRET_KEY stands in SECRET_KEY_FALLBACKS: the new key must be another.")


def check_hosts(site_url: str, hosts: Sequence[str]) -> None:
    """The site is reached by TLS, under names that are said in full, its own among them."""
    url = urlsplit(site_url)
    if url.scheme != "https" or not url.hostname or url.path not in ("", "/") or url.query:
        raise ImproperlyConfigured(
            "SITE_URL must start with https:// in production and be an address without a path."
        )
    if any("*" in host or host.startswith(".") or not host.strip() for host in hosts):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts; * and .name let others' names in.")
    if url.hostname not in hosts:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the host of SITE_URL.")


def check_database(app: str, owner: str, *, migrates: bool) -> None:
    """Two roles, none of them the server's own; TLS with a checked certificate where the line can be read.

    owner: empty where the environment names none. migrates: this process changes the schema.
    """
    if migrates and not owner:
        raise ImproperlyConfigured("Set DATABASE_OWNER_URL: the role that owns the tables migrates them.")
    roles = [user_of(app), *([user_of(owner)] if owner else [])]
    if len(roles) == 2 and roles[0] == roles[1]:
        raise ImproperlyConfigured(
            "DATABASE_URL and DATABASE_OWNER_URL are the same role: what runs must not own the tables."
        )
    if any(role in SUPERUSERS for role in roles):
        raise ImproperlyConfigured("DATABASE_URL names a superuser: nothing holds one to its rights.")
    for url in filter(None, (app, owner)):
        if not is_local(url) and sslmode_of(url) != "verify-full":
            raise ImproperlyConfigured(
                "A database on another machine needs ?sslmode=verify-full in its URL (and sslrootcert)."
            )


def check_demo(app: str) -> None:
    """The demo makes people up; it has no business in a database on another machine."""
    if app and not is_local(app):
        raise ImproperlyConfigured(
            "CLINIC_MODE=demo with a DATABASE_URL on another machine: set CLINIC_MODE=production, or leave "
            "DATABASE_URL out for the demo's own database."
        )


def check_mail(host: str, *, tls: bool, ssl: bool) -> None:
    """No mail leaves this machine in the clear."""
    if tls and ssl:
        raise ImproperlyConfigured("EMAIL_USE_TLS and EMAIL_USE_SSL are both set: set one of them.")
    if host not in LOOPBACK and not (tls or ssl):
        raise ImproperlyConfigured("EMAIL_USE_TLS=0 would send mail in the clear: leave it out.")


def user_of(url: str) -> str:
    return unquote(urlsplit(url).username or "")


def is_local(url: str) -> bool:
    """Whether the database is on this machine: a socket or the loopback; the host may be a parameter."""
    parts = urlsplit(url)
    hosts = [parts.hostname or "", *parse_qs(parts.query).get("host", [])]
    return all(host in LOOPBACK or unquote(host).startswith("/") for host in ",".join(hosts).split(","))


def sslmode_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("sslmode", [""])[-1]
