"""How to tell of a hole: /.well-known/security.txt, as RFC 9116 asks for it."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from education.clinic_info.models import ClinicInfo

pytestmark = pytest.mark.django_db


def fields(client: Client) -> dict[str, str]:
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    return dict(line.split(": ", 1) for line in answer.text.splitlines())


def test_it_names_a_contact_and_runs_out_within_a_year(client: Client, settings):
    settings.SECURITY_CONTACT = "security@clinic.example"
    found = fields(client)
    assert found["Contact"] == "mailto:security@clinic.example"
    assert found["Canonical"] == settings.SITE_URL + reverse("security_txt")
    expires = datetime.fromisoformat(found["Expires"])
    assert timedelta(days=90) < expires - timezone.now() < timedelta(days=365)


def test_without_an_address_it_is_the_clinics_phone(client: Client, settings):
    settings.SECURITY_CONTACT = ""
    assert fields(client)["Contact"] == ClinicInfo.current().phone_href


def test_before_the_clinic_is_known_there_is_none(client: Client, settings):
    settings.SECURITY_CONTACT = ""
    ClinicInfo.objects.all().delete()
    assert client.get("/.well-known/security.txt").status_code == 404
