"""J9.9: the clinic's phone number, wrong and changed."""

from pathlib import Path

from django.test import Client
from django.urls import reverse

from intake import journey
from tests import factories
from tests.integration.clinic.test_people import mails, told

OLD, NEW = "(310) 555-0142", "(310) 555-0199"


def test_a_wrong_number_is_said_and_a_new_one_stands_everywhere(db: None, mail_dir: Path):
    client = Client()
    client.force_login(factories.make_user("owner"))
    page = reverse("wagtailsnippets_education_clinicinfo:edit", args=[1])
    form = client.get(page).context["form"]
    data = {bound.html_name: bound.value() or "" for bound in form}
    answer = client.post(page, {**data, "phone": "555 0142", "phone_display": NEW})
    assert answer.status_code == 200
    [error] = answer.context["form"].errors["phone"]
    assert error.startswith("Start with + and the country code")
    assert 'value="555 0142"' in answer.text, "what was typed stays"

    assert client.post(page, {**data, "phone": "+13105550199", "phone_display": NEW}).status_code == 302
    lesson = Client().get("/learn/rolling-in/")
    assert "tel:+13105550199" in lesson.text
    assert NEW in told(lesson)
    invitation = factories.make_invitation(factories.make_evaluation())
    journey.deliver_invitation(invitation_id=invitation.pk)
    [mail] = mails(mail_dir)
    words = mail.get_body(("plain",)).get_content()
    assert NEW in words
    assert OLD not in words + lesson.text
