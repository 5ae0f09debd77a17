"""J6.8: two lessons are sent after the evaluation; a link and the date of birth lead to them."""

import email
import email.policy
import re

import pytest

from tests.browser.conftest import Come
from tests.browser.desk import Physio
from tests.browser.patient import Patient
from tests.browser.product import Product


@pytest.mark.deep
@pytest.mark.parametrize(
    "scripts",
    [pytest.param(True, id="scripts"), pytest.param(False, id="no scripts", marks=pytest.mark.deep)],
)
def test_lessons_are_sent_after_the_evaluation(come: Come, product: Product, scripts: bool) -> None:
    account = product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )
    hers = f"reads.{scripts}@patients.example".lower()
    made = product.reception(
        "visit", email=hers, minutes_ahead=-90, answers=product.reception("known_intakes")["SPARING"]
    )
    physio: Physio = come(Physio, scripts=scripts)
    physio.signs_in(account).goes_to(f"/staff/intake/questionnaireresponse/{made['response']}/outcome/")
    (title,) = physio.findings_to_fill_in()
    physio.says(title, "Found").closes_evaluation().is_told("The evaluation is closed.")
    physio.follows("Choose lessons to send", within=physio.main).reads("Behind the findings that stand")
    first, second = physio.main.get_by_role("checkbox").all()[:2]
    labels = [one.locator("xpath=ancestor::label").inner_text() for one in (first, second)]
    picked = [label.strip().splitlines()[0] for label in labels]
    assert f"Found: {title}" in labels[0]
    # What is behind the finding is ticked already.
    assert [one.is_checked() for one in (first, second)] == [True, False]
    physio.touches(second)
    physio.finds_page_accessible()
    physio.presses("Send").is_told("Shared. The e-mail is on its way.").finds_page_accessible()

    [mail] = product.mail.wait_for(hers)
    body = email.message_from_string(mail, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    words = body.get_content()
    assert not any(one in words for one in (*picked, title, "knee", "foot", "Casey"))
    [link] = re.findall(r"http\S+/intake/lessons/\S+", words)

    patient: Patient = come(Patient, scripts=scripts)
    patient.opens(link).reads("has something for you to read").finds_page_accessible()
    patient.gives_birth_date("4", "12", "1986", button="Open the page")
    patient.reads_heading("Lessons from your physio").does_not_read(title).finds_page_accessible()
    for lesson in picked:
        patient.reads(lesson)
    physio.reloads().reads("Opened")
    physio.presses("Take it back").is_told("Taken back.")
    with patient.refused_with(403):
        patient.reloads().reads_heading("Open your link again")
