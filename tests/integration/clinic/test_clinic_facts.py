"""J9.9: the clinic's phone number, wrong and changed."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from education.clinic_info.models import ClinicInfo
from intake import journey
from intake.audit import AuditEvent
from tests import factories
from tests.integration.clinic.test_people import mails, told

OLD, NEW = "(310) 555-0142", "(310) 555-0199"


class Editor:
    """Whoever has the form of the clinic's facts open, with what it held when it was opened."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(factories.make_user("owner"))
        self.page = reverse("wagtailsnippets_education_clinicinfo:edit", args=[1])
        form = self.client.get(self.page).context["form"]
        self.data = {bound.html_name: bound.value() or "" for bound in form}

    def saves(self, **changed: str) -> HttpResponse:
        return self.client.post(self.page, {**self.data, **changed})


@pytest.fixture
def editor(db: None) -> Editor:
    return Editor()


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["form"].errors)


@pytest.mark.parametrize(
    "shown", ["call me maybe", "1-800-RUN", "(310) 555-O142", "0142", "000 0000", "310 5550142 #"]
)
def test_what_cannot_be_dialed_is_no_number(editor: Editor, shown: str):
    [error] = errors(editor.saves(phone_display=shown))["phone_display"]
    assert error == "Enter a phone number in digits, like (310) 555-0142."
    assert ClinicInfo.current().phone_display == OLD


@pytest.mark.parametrize("shown", [NEW, "+3105550142", "+44 310 555 0142", "1 (212) 555-0142"])
def test_the_number_people_read_is_the_one_that_is_dialed(editor: Editor, shown: str):
    [error] = errors(editor.saves(phone_display=shown))["phone_display"]
    assert error == "This is not the number to dial, +13105550142. Give the same number in both fields."
    assert ClinicInfo.current().phone_display == OLD


def test_a_new_number_to_dial_does_not_leave_the_old_one_to_read(editor: Editor):
    [error] = errors(editor.saves(phone="+13105550199"))["phone_display"]
    assert "+13105550199" in error
    assert ClinicInfo.current().phone == "+13105550142"


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+13105550142", "310.555.0142"),
        ("+13105550142", "555-0142"),
        ("+13105550142", "1-310-555-0142"),
        ("+13105550142", "+1 310 555\u20110142"),
        ("+442079460958", "020 7946 0958"),
        ("+442079460958", "+44 (0)20 7946 0958"),
    ],
)
def test_it_may_be_written_as_people_write_it(editor: Editor, phone: str, shown: str):
    assert editor.saves(phone=phone, phone_display=shown).status_code == 302
    assert ClinicInfo.current().phone_display == shown


def test_what_was_saved_as_it_was_is_no_change(editor: Editor):
    ClinicInfo.objects.update(hours="Mon to Fri 8 to 6\r\nSat 9 to 1")
    for ends in ("\r\n", "\n"):
        editor.saves(hours=f"Mon to Fri 8 to 6{ends}Sat 9 to 1")
    assert not AuditEvent.objects.filter(action="clinic.changed").exists()
    assert ClinicInfo.current().hours == "Mon to Fri 8 to 6\nSat 9 to 1"


def test_a_wrong_number_is_said_and_a_new_one_stands_everywhere(editor: Editor, mail_dir: Path):
    answer = editor.saves(phone="555 0142", phone_display=NEW)
    [(name, [error])] = errors(answer).items()
    assert name == "phone"
    assert error.startswith("Start with + and the country code")
    assert 'value="555 0142"' in answer.text, "what was typed stays"

    assert editor.saves(phone="+13105550199", phone_display=NEW).status_code == 302
    lesson = Client().get("/learn/rolling-in/")
    assert "tel:+13105550199" in lesson.text
    assert NEW in told(lesson)
    invitation = factories.make_invitation(factories.make_evaluation())
    journey.deliver_invitation(invitation_id=invitation.pk)
    [mail] = mails(mail_dir)
    words = mail.get_body(("plain",)).get_content()
    assert NEW in words
    assert OLD not in words + lesson.text
