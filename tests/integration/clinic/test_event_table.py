"""Each event that has a name in the requirements is exactly one line of the trail (R23)."""

import ast
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from education.clinic_info.models import ClinicInfo, PrivacyNotice
from education.models import Lesson
from education.newsletter.models import Subscriber
from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients.models import AccessEvent, Evaluation, Invitation
from intake.questionnaires.load import active_questionnaire, load_questionnaires
from intake.review.trail_details import KEYS, UNSAID, page_words
from intake.review.trail_words import CLINICAL, GROUPS, KINDS, WORDS
from intake.screening.load import load_rules
from intake.screening.models import Finding, Rule
from tests.architecture.test_layers import ROOT
from tests.factories import ROLLING_IN, SETUP, SWOLLEN_CALF, make_evaluation, make_response, make_user
from tests.integration.education.editor.conftest import Person, lesson  # noqa: F401  # a fixture
from tests.integration.intake.review.test_outcomes import close, everything, past_intake, record, reopen
from tests.integration.intake.visitor import Visitor, invited

pytestmark = pytest.mark.django_db

# What the requirements call it, and what the trail does. Sign-in and accounts are tested where they are kept.
NAMED = {
    "link looked at": "link.viewed",
    "link opened": "session.opened",
    "birth date wrong": "link.wrong-date",
    "link rests": "link.rested",
    "link ended": "link.ended",
    "right date on another device": "code.asked",
    "code sent": "code.sent",
    "code wrong": "code.wrong",
    "session left": "session.left",
    "invitation queued, an earlier one revoked": "invitation.made",
    "invitation sent": "invitation.sent",
    "form sent": "intake.sent",
    "amendment": "intake.changed",
    "verdict": "finding.decided",
    "verdict undone": "finding.decided",
    "review finished": "review.finished",
    "call recorded": "red-flag.contact",
    "outcome recorded": "outcome.recorded",
    "evaluation closed": "evaluation.closed",
    "evaluation opened again": "evaluation.reopened",
    "patient added": "patient.added",
    "patient changed": "patient.changed",
    "evaluation added": "evaluation.booked",
    "evaluation changed": "evaluation.moved",
    "evaluation cancelled": "evaluation.cancelled",
    "failed access": "access.refused",
    "questionnaire published": "questionnaire.published",
    "rule published": "rule.published",
    "clinic settings changed": "clinic.changed",
    "privacy notice published": "privacy-notice.published",
    "lesson published": "library.published",
    "lesson taken down": "library.unpublished",
    "newsletter export": "newsletter.exported",
}


class Table:
    """Ticks events off."""

    def __init__(self) -> None:
        self.open = dict(NAMED)

    @contextmanager
    def once(self, name: str, **detail: object) -> Iterator[None]:
        """What is done inside is one line with the event's action; detail: what it says, at least."""
        action = self.open.pop(name)
        last = AuditEvent.objects.latest("pk").pk
        yield
        found = list(AuditEvent.objects.filter(pk__gt=last, action=action))
        assert len(found) == 1, f"{name}: {len(found)} lines"
        assert found[0].detail.items() >= detail.items(), f"{name}: {found[0].detail}"


def test_every_named_event_is_one_line(lesson: Lesson, settings):  # noqa: F811  # the fixture
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    table = Table()
    at_the_link(table)
    on_another_device(table)
    at_the_form(table)
    at_the_desk(table)
    of_people_and_visits(table)
    of_content(table, lesson)
    assert table.open == {}
    for action, details in AuditEvent.objects.values_list("action", "detail"):
        assert not CLINICAL.get(action, frozenset()) & details.keys(), action


def wrong(link, hours_ago: float, number: int) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    with audit.audited("tests.made", by=SETUP):
        AccessEvent.objects.bulk_create(
            AccessEvent(invitation=link, kind=AccessEvent.Kind.WRONG_DATE, at=at) for _ in range(number)
        )


def at_the_link(table: Table) -> None:
    invitation, token = invited()
    visitor, other = Visitor(token), Visitor(token, born=visitor_born())
    with table.once("link looked at"):
        visitor.look(visitor.link)
    with table.once("birth date wrong", event="wrong-date"):
        other.type_date()
    with table.once("link opened"):
        visitor.open()
    with table.once("session left"):
        visitor.client.post("/intake/leave/")
    wrong(invitation, 0.02, 5)
    with table.once("link rests", event="resting"):
        visitor.type_date()
    invitation, token = invited()
    wrong(invitation, 3, 9)
    with table.once("link ended", event="ended"):
        Visitor(token, born=visitor_born()).type_date()


def visitor_born():
    """Not the birth date of anybody here."""
    return timezone.localdate() - timedelta(days=9_000)


def on_another_device(table: Table) -> None:
    invitation, token = invited()
    Visitor(token).open().save("about", {"why.main-problem": ["knee"], "why.story": ["Sore"]})
    visitor = Visitor(token)
    with table.once("right date on another device", outcome="Asked"):
        visitor.type_date()
    with audit.audited("tests.read", by=SETUP):
        code = invitation.codes.get().pk
    with table.once("code sent"):
        journey.deliver_code(code_id=code)
    with table.once("code wrong", event="wrong-code"):
        # One in a million is the right one; then nothing was wrong.
        visitor.client.post("/intake/code/", {"code": "000000"})


def at_the_form(table: Table) -> None:
    evaluation = make_evaluation()
    with table.once("invitation queued, an earlier one revoked"):
        journey.invite(evaluation=evaluation, by=SETUP)
    with audit.audited("tests.read", by=SETUP):
        invitation = Invitation.objects.get(evaluation=evaluation)
    with table.once("invitation sent"):
        journey.deliver_invitation(invitation_id=invitation.pk)
    token = journey.make_link(invitation_id=invitation.pk, by=SETUP).rstrip("/").rsplit("/", 1)[-1]
    visitor = Visitor(token, born=evaluation.patient.birth_date).open()
    visitor.fill(invitation.questionnaire.tree(), ROLLING_IN)
    with table.once("form sent"):
        visitor.send()
    visitor.client.post("/intake/change/")
    visitor.save("pain", {"pain.now": [7], "pain.worst": [8], "pain.average": [5]}, "?change=1")
    with table.once("amendment", changed=3):
        visitor.send()


def at_the_desk(table: Table) -> None:
    intake = past_intake()
    by = audit.staff(intake.evaluation.physio)
    with audit.audited("tests.read", by=SETUP):
        (finding, *others) = Finding.objects.filter(response=intake, rule__kind="chain").select_related(
            "response", "rule"
        )
    with table.once("verdict"):
        journey.decide_finding(response=finding.response_id, finding=finding.pk, decision="confirmed", by=by)
    with table.once("verdict undone"):
        journey.decide_finding(
            response=finding.response_id, finding=finding.pk, decision="unconfirmed", by=by
        )
    for one in (finding, *others):
        journey.decide_finding(response=one.response_id, finding=one.pk, decision="confirmed", by=by)
    with table.once("review finished"):
        journey.finish_review(response=intake, by=by)
    with table.once("outcome recorded"):
        record(intake, everything(intake))
    with table.once("evaluation closed"):
        close(intake)
    with table.once("evaluation opened again"):
        reopen(intake)
    urgent = make_response(SWOLLEN_CALF)
    with table.once("call recorded"):
        journey.record_contact(
            response=urgent,
            called="her",
            called_at=timezone.now(),
            outcome="reached",
            next_step="emergency",
            by=by,
        )


def of_people_and_visits(table: Table) -> None:
    person = {
        "given_name": "Sam",
        "family_name": "Okafor",
        "birth_date": "01/31/1974",
        "email": "sam@example.org",
        "phone": "(310) 555-0188",
    }
    desk = Client()
    user = make_user("front desk")
    desk.force_login(user)
    with table.once("patient added", changed=[*person]):
        there = desk.post("/staff/intake/patient/add/", person).headers["Location"]
    with table.once("patient changed", changed=["phone"]):
        assert desk.post(there, {**person, "phone": "(310) 555-0199"}).status_code == 303
    with table.once("failed access", why="not there"):
        desk.get(f"/staff/intake/evaluation/{uuid4()}/change/")
    by, made = audit.staff(user), make_evaluation()
    visit = Evaluation(
        patient=made.patient, physio=made.physio, starts_at=made.starts_at + timedelta(days=1), minutes=60
    )
    with table.once("evaluation added"):
        journey.book_evaluation(evaluation=visit, by=by, send=False)
    visit.minutes = 45
    with table.once("evaluation changed", changed=True):
        journey.move_evaluation(evaluation=visit, by=by, mail=False)
    with table.once("evaluation cancelled"):
        journey.cancel_evaluation(evaluation=visit, reason="", by=by, mail=False)


def of_content(table: Table, row: Lesson) -> None:
    active = active_questionnaire()
    newer = {**copy.deepcopy(active.definition), "version": "99"}
    with table.once("questionnaire published", old=active.version, new="99"):
        load_questionnaires([newer])
    rule = Rule.objects.filter(status="active").first()
    changed = {**copy.deepcopy(rule.definition), "version": rule.version + 1}
    with table.once("rule published", rule=rule.rule_id, old=rule.version, new=rule.version + 1):
        load_rules([changed], active.tree())
    editor = Person("editor")
    facts = ClinicInfo.current()
    there = "/editor/snippets/education/clinicinfo/edit/1/"
    form = editor.client.get(there).context["form"]
    typed = {bound.html_name: bound.value() or "" for bound in form}
    typed.pop("shows_subscriber_count")
    hours = {"old": facts.hours_note, "new": "By telephone only"}
    with table.once("clinic settings changed", changed={"hours_note": hours}):
        assert editor.client.post(there, {**typed, "hours_note": "By telephone only"}).status_code == 302
    line = AuditEvent.objects.get(action="clinic.changed")
    assert (line.actor_kind, line.actor_id) == ("staff", str(editor.user.pk))
    with table.once("privacy notice published", old=1, new=2):
        PrivacyNotice.objects.create(text="New words.")
    physio = Person("physio")
    with table.once("lesson published"):
        physio.saves(row, "action-publish", title="Warm up well")
    assert AuditEvent.objects.latest("pk").objects_seen == {"lesson": [str(row.pk)]}
    assert AuditEvent.objects.latest("pk").actor_id == str(physio.user.pk)
    with table.once("lesson taken down"):
        Lesson.objects.get(pk=row.pk).unpublish()
    Subscriber.objects.create(email="reader@example.org")
    with table.once("newsletter export", lines=1):
        editor.client.get("/staff/education/subscriber/export/")


# ------------------------------------------------------------------------------------ words for all of them


def code() -> Iterator[tuple[str, ast.AST]]:
    """Every piece of code that may write a line, with the file it stands in."""
    for app in ("clinic", "education", "intake"):
        for path in sorted((ROOT / app).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "audit" in text or "witness" in text:
                for node in ast.walk(ast.parse(text)):
                    yield str(path.relative_to(ROOT)), node


def actions_in_code() -> dict[str, str]:
    """Every action that the code writes, with the file it stands in."""
    found: dict[str, str] = {}
    for file, node in code():
        for value in actions_of(node):
            for name in texts(value):
                found.setdefault(name, file)
    return found


def actions_of(node: ast.AST) -> Iterator[ast.AST]:
    """The x of `audited(x)`, `self.audited(request, x)`, `tell(x)`, `write(x)`, `access.action = x`."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        # `self.stdout.write(x)` is something else.
        by_itself = isinstance(node.func, ast.Name)
        if (name in ("audited", "tell") or (name == "write" and by_itself)) and node.args:
            yield node.args[0]
            yield from node.args[1:2] if name == "audited" else ()
    if isinstance(node, ast.Assign) and any(is_called_action(one) for one in node.targets):
        yield node.value


def is_called_action(target: ast.AST) -> bool:
    """Also as one of several that are set at once."""
    if isinstance(target, ast.Tuple):
        return any(is_called_action(one) for one in target.elts)
    return "action" in (getattr(target, "attr", ""), getattr(target, "id", ""))


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_action(node.value):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    if isinstance(node, ast.Tuple):
        for one in node.elts:
            yield from texts(one)


def is_action(text: str) -> bool:
    return text == "purged" or ("." in text and " " not in text and text.islower())


def test_every_action_in_the_code_has_words():
    found = actions_in_code()
    found |= dict.fromkeys(journey._TRIED.values(), "intake/journey.py")
    found |= {save.value: "intake/journey.py" for save in journey.Save}
    # Pages whose form Django draws are named after their kind.
    found |= {
        f"{kind}.{verb}": "intake/admin" for kind in ("patient", "evaluation") for verb in ("read", "written")
    }
    assert {action: file for action, file in found.items() if action not in WORDS} == {}
    assert len(found) > 90, "actions are found at all"


def test_an_action_stands_in_the_code_in_full():
    """One that is put together is not found above, and would have no words."""
    built = {
        file
        for file, node in code()
        for value in actions_of(node)
        for piece in ast.walk(value)
        if isinstance(piece, ast.JoinedStr | ast.BinOp)
    }
    # `{kind}.{verb}`, whose words are asked for above.
    assert built == {"intake/admin/audited.py"}


def details_in_code() -> set[tuple[str, str]]:
    """Every key of a line's detail, with the file that writes it."""
    found = set()
    for file, node in code():
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            # The diary's own `note` names the visit first.
            if name in ("audited", "tell") or (name == "note" and not node.args):
                found |= {(one.arg, file) for one in node.keywords if one.arg}
    beside = {"by", "objects", "savepoint", "unless_told"}
    return {(key, file) for key, file in found if key not in beside}


def test_every_detail_in_the_code_has_words_and_none_is_about_health():
    found = details_in_code()
    known = {key.rpartition(":")[2] for key in KEYS} | UNSAID
    assert {(key, file) for key, file in found if key not in known} == set()
    assert len(found) > 40, "details are found at all"
    # How many findings were compared in all of the clinic is about nobody.
    hidden = {key for keys in CLINICAL.values() for key in keys} - {"findings", "links"}
    assert not hidden & {key for key, _file in found}


def test_every_page_of_the_staff_that_may_be_refused_has_words():
    def names(patterns) -> Iterator[str]:
        for one in patterns:
            if hasattr(one, "url_patterns"):
                yield from names(one.url_patterns)
            elif one.name:
                yield one.name

    found = list(names(admin.site.get_urls()))
    assert [name for name in found if page_words(name) == name] == []
    assert len(found) > 50, "pages are found at all"


def test_every_word_is_of_a_group_and_says_something():
    for action, word in WORDS.items():
        assert word.group in GROUPS, action
        assert str(word.label), action
        assert not any(hint in str(word.patient) for hint in ("finding", "rule", "red flag", "score")), action
    assert {"patient", "evaluation", "response", "finding"} <= KINDS.keys()
