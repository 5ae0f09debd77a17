"""Readers of the newsletter, its jobs and its mails, for tests."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from education import tasks
from education.newsletter.models import Subscriber

OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}


def sign_up(client: Client, address: str, *, headers: dict[str, str] | None = None, **fields: str) -> Any:
    """What the browser of somebody who fills in the form on a page of ours sends."""
    return client.post(
        "/newsletter/", {"email": address, "topic": "", **fields}, headers=OWN if headers is None else headers
    )


def jobs(name: str = "") -> list[ProcrastinateJob]:
    """What is queued for the newsletter, in order."""
    return list(ProcrastinateJob.objects.filter(task_name__startswith=f"newsletter_{name}").order_by("id"))


def run_jobs() -> None:
    """What the job worker would do, once for every job in the queue, also for those it did before."""
    for job in jobs():
        getattr(tasks, job.task_name)(**job.args)


def mails(folder: Path) -> list[EmailMessage]:
    """Everything that was sent, oldest first."""
    found = []
    paths = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime_ns) if folder.exists() else []
    for path in paths:
        for text in re.split(r"^-{79}$", path.read_text(), flags=re.MULTILINE):
            if text.strip():
                found.append(email.message_from_string(text.strip(), policy=email.policy.default))
    return found  # type: ignore[return-value]  # the policy makes them EmailMessages


def links_in(mail: EmailMessage) -> list[str]:
    """The paths of the links of ours in a mail."""
    site = re.escape(settings.SITE_URL)
    return [urlsplit(link).path for link in re.findall(rf"{site}\S+", mail.get_content())]


def make_subscriber(address: str, **fields: Any) -> Subscriber:
    """One who confirmed, unless `fields` say otherwise."""
    defaults = {"status": Subscriber.Status.ACTIVE, "confirmed_at": timezone.now()}
    return Subscriber.objects.create(email=address, **{**defaults, **fields})
