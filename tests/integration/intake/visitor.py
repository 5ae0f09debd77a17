"""A patient's browser without a browser: Django's test client that walks the form as its pages lead it."""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from intake import audit, journey
from intake.conditions import Value
from intake.patients import links
from intake.patients.models import Invitation
from intake.questionnaires.definition import Definition, Item
from intake.questionnaires.load import active_questionnaire
from intake.questionnaires.pages import enabled, pages
from intake.responses.answers import missing
from intake.responses.models import QuestionnaireResponse
from tests.factories import SETUP, make_evaluation, make_invitation, make_response

Given = Mapping[str, Sequence[Value]]

# The page only says so; a browser sends it with each post that its script makes while typing.
AUTOSAVE = {"X-Autosave": "1"}


def invited(**fields: Any) -> tuple[Invitation, str]:
    """A patient's invitation and the token of its link, made as the mail job makes it."""
    invitation = make_invitation(make_evaluation(**fields))
    link = journey.make_link(invitation_id=invitation.pk, by=SETUP)
    return invitation, link.rstrip("/").rsplit("/", 1)[-1]


def sent_form(given: Given, **fields: Any) -> tuple["Visitor", Invitation]:
    """A visitor whose form is sent, with something harmless where an answer is needed, in her own browser."""
    evaluation = make_evaluation(**fields)
    response = make_response(filled_in(active_questionnaire().tree(), given), evaluation=evaluation)
    invitation = response.invitation
    link = journey.make_link(invitation_id=invitation.pk, by=SETUP)
    visitor = Visitor(link.rstrip("/").rsplit("/", 1)[-1])
    with audit.audited("tests.opened", by=SETUP):
        opened = links.open_session(invitation=invitation, address=None, device_token="")
    visitor.client.cookies[settings.PATIENT_COOKIE_NAME] = opened.session_token
    visitor.client.cookies[settings.DEVICE_COOKIE_NAME] = opened.device_token
    return visitor, invitation


def text_of(value: Value) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def harmless(item: Item) -> Value:
    """An answer that any form takes and no rule minds."""
    if item.type == "boolean":
        return item.must_be_true
    if item.options:
        alone = [option.value for option in item.options if option.exclusive]
        return alone[0] if alone else item.options[-1].value
    if item.type == "integer":
        return item.min_value if isinstance(item.min_value, int) else 0
    return "Nothing more."


def filled_in(definition: Definition, given: Given) -> dict[str, list[Value]]:
    """The answers with something harmless wherever one is still needed."""
    answers = {link_id: list(values) for link_id, values in given.items()}
    while lacking := missing(definition, answers):
        for link_id in lacking:
            answers[link_id] = [harmless(definition.item(link_id))]
    return answers


def without_form_tokens(page: str) -> str:
    """A page as two visitors should see it alike: only the token against forgery differs."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)


def told_by_headers(response: HttpResponse) -> str:
    """The headers as text, as two visitors should see them alike: only the name of the request differs."""
    headers = {name: value for name, value in response.headers.items() if name != "X-Request-ID"}
    return json.dumps(headers, sort_keys=True)


class Visitor:
    """One browser with its cookies. `born` is what it types into the three boxes."""

    def __init__(self, token: str = "", born: date = date(1986, 4, 12), **client: Any) -> None:
        self.client = Client(**client)
        self.token = token
        self.born = born

    @property
    def link(self) -> str:
        return reverse("intake:open", args=[self.token])

    def look(self, path: str, **extra: Any) -> HttpResponse:
        return self.client.get(path, **extra)

    def type_date(self, born: date | None = None, **extra: Any) -> HttpResponse:
        born = born or self.born
        data = {"month": str(born.month), "day": str(born.day), "year": str(born.year)}
        return self.client.post(self.link, data, **extra)

    def open(self) -> "Visitor":
        response = self.type_date()
        assert response.status_code == 303, response.text
        assert response.headers["Location"] == reverse("intake:start")
        return self

    def page(self, slug: str, query: str = "") -> HttpResponse:
        return self.client.get(reverse("intake:page", args=[slug]) + query)

    def save(self, slug: str, answers: Given, query: str = "", **extra: str) -> HttpResponse:
        """Press "Save and continue". answers: only those of this page count; extra: other names sent."""
        data = {link_id: [text_of(value) for value in values] for link_id, values in answers.items()}
        return self.client.post(reverse("intake:page", args=[slug]) + query, {**data, **extra})

    def autosave(self, slug: str, answers: Given) -> HttpResponse:
        data = {link_id: [text_of(value) for value in values] for link_id, values in answers.items()}
        return self.client.post(reverse("intake:page", args=[slug]), data, headers=AUTOSAVE)

    def fill(self, definition: Definition, given: Given) -> "Visitor":
        """Walk every page of the path and save it, with harmless answers where one is needed."""
        answers = filled_in(definition, given)
        on = enabled(definition, answers)
        hidden = journey.screening_of(definition, answers, None).hides
        for page in pages(definition):
            asked = {item.link_id for item in page.item.walk() if item.is_question}
            if page.link_id not in on or page.link_id in hidden or not asked:
                continue
            here = {link_id: values for link_id, values in answers.items() if link_id in asked}
            response = self.save(page.slug, here)
            if response.status_code == 200 and "Get " in response.text and "urgent-title" in response.text:
                self.client.post(reverse("intake:advice"), {"answer": "understood"})
                continue
            assert response.status_code == 303, response.text
        return self

    def send(self, key: str | None = None) -> HttpResponse:
        return self.client.post(reverse("intake:check"), {"key": key or str(uuid.uuid4()), "confirm": "yes"})


def stored(invitation: Invitation) -> QuestionnaireResponse:
    """The evaluation's draft or sent intake as it stands in the database."""
    with audit.audited("tests.read", by=SETUP):
        return (
            QuestionnaireResponse.objects.select_related("questionnaire")
            .filter(evaluation=invitation.evaluation_id)
            .latest("started_at")
        )
