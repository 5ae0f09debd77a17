"""What the database itself refuses, whoever writes."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from education.chain.protection import InUse
from education.models import Author, ChainLink, ChainNode, ClinicInfo, Lesson


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"direction": "sideways"}, "education_link_direction"),
        ({"laterality": "left"}, "education_link_laterality"),
        ({"evidence_grade": "certain"}, "education_link_evidence"),
    ],
)
def test_a_link_keeps_to_the_known_words(library: None, change: dict[str, str], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        ChainLink.objects.filter(slug="knee--weight-shift").update(**change)


def test_a_link_to_itself_is_refused(library: None) -> None:
    link = ChainLink.objects.get(slug="knee--weight-shift")
    link.to_node = link.from_node
    with pytest.raises(ValidationError, match="A link cannot lead to where it starts"):
        link.full_clean()
    with pytest.raises(IntegrityError, match="education_link_two_ends"):
        link.save()


@pytest.mark.parametrize(
    ("model", "change", "constraint"),
    [
        (ChainNode, {"kind": "elbow"}, "education_node_kind"),
        (Lesson, {"part": "sideways"}, "education_lesson_part"),
        (Lesson, {"icon": "elbow"}, "education_lesson_icon"),
        (
            Lesson,
            {"suggest_default": True, "suggest_when": {"scope": "person"}},
            "education_lesson_default_is_unconditional",
        ),
        (ClinicInfo, {"phone": "555 0142"}, "education_clinic_phone_e164"),
    ],
)
def test_rows_keep_to_the_known_words(
    library: None, model: Any, change: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        model.objects.update(**change)


def test_there_is_one_clinic(library: None) -> None:
    second = ClinicInfo(id=2, name="Other", city="Elsewhere", phone="+13105550100", phone_display="0100")
    with pytest.raises(IntegrityError, match="education_clinic_single_row"):
        second.save()


def test_an_address_belongs_to_one_lesson(library: None) -> None:
    with pytest.raises(IntegrityError, match="slug"):
        Lesson.objects.filter(slug="flat-feet").update(slug="rolling-in")


def test_what_is_in_use_cannot_be_deleted(library: None) -> None:
    author = Author.objects.create(name="Maya Ortiz", credentials="DPT")
    Lesson.objects.filter(slug="flat-feet").update(author=author)
    for used in (Lesson.objects.get(slug="flat-feet"), ChainNode.objects.get(slug="knee"), author):
        with pytest.raises((ProtectedError, InUse)), transaction.atomic():
            used.delete()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("key_points", "one text", "Give a list of texts"),
        ("key_points", ["", "b"], "none of them empty"),
        ("self_check", {"question": "?"}, "Give a list of questions"),
        ("self_check", [{"question": "?"}], "exactly: question, options, answer, why"),
        (
            "self_check",
            [{"question": "?", "options": ["Yes"], "answer": 0, "why": "So."}],
            "two options or more",
        ),
        (
            "self_check",
            [{"question": "?", "options": ["Yes", "No"], "answer": True, "why": "So."}],
            "place of one of the options",
        ),
        ("suggest_when", {"scope": "side"}, "at least one condition"),
        ("suggest_when", ["side"], "Say for whom it holds"),
    ],
)
def test_the_lists_of_a_lesson_have_their_shape(
    library: None, field: str, value: object, message: str
) -> None:
    lesson = Lesson.objects.get(slug="flat-feet")
    setattr(lesson, field, value)
    with pytest.raises(ValidationError, match=message):
        lesson.clean_fields()
