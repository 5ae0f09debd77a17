"""Makes people, visits and intakes for browser tests and drills: JSON in, a task a line; JSON out.

Runs as a process of its own, with the product's environment: `python -m tests.browser.reception`.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import django

PASSWORD: Final = "correct horse battery"


def staff(*, role: str, username: str, **names: str) -> dict[str, str]:
    """An account of that role, made if need be, with a fresh key: none of its codes was used yet."""
    from clinic.models import User

    employ(role=role, username=username, **names)
    return _ready(User.objects.get(username=username))


def _ready(user: Any) -> dict[str, str]:
    from clinic.door import factors

    secret = factors.new_secret()
    factors.set_app(user, secret)
    return {"username": user.username, "password": PASSWORD, "totp": secret}


def employ(*, role: str, username: str, **names: str) -> None:
    """The same account, as it is."""
    from clinic.models import User
    from tests import factories

    if not User.objects.filter(username=username).exists():
        factories.make_user(role, username=username, **names)


def newcomer(*, role: str, username: str) -> dict[str, str]:
    """An account without a second factor."""
    from tests import factories

    factories.make_user(role, enrolled=False, username=username)
    return {"username": username, "password": PASSWORD}


def proves(*, username: str) -> bool:
    """As if this person, who is signed in, had just given a second factor in every browser of theirs."""
    from clinic.accounts import SessionStore
    from clinic.door.stepup import PROVED_AT
    from clinic.models import Session

    for row in Session.objects.filter(account__username=username):
        session = SessionStore(row.session_key)
        session[PROVED_AT] = time.time()
        session.save()
    return True


def visit(
    *,
    born: str = "1986-04-12",
    given: str = "Casey",
    family: str = "Morgan",
    email: str = "casey.morgan@patients.example",
    minutes_ahead: int = 60 * 24 * 3,
    answers: dict[str, list[Any]] | None = None,
    sent: bool = True,
    findings: int | None = None,
    physio: str = "ortiz",
) -> dict[str, str]:
    """A patient with a visit and a link that was not mailed. With answers: their intake, sent or a draft.

    findings: so many instead of what the answers raise; the key of one of them comes back.
    """
    from django.utils import timezone

    from clinic.models import User
    from intake import journey
    from tests import factories

    employ(role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr.")
    evaluation = factories.make_evaluation(
        is_over=minutes_ahead < 0,
        patient=factories.make_patient(
            given_name=given, family_name=family, birth_date=date.fromisoformat(born), email=email
        ),
        physio=User.objects.get(username=physio),
        starts_at=timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=minutes_ahead),
    )
    if answers is not None:
        response = factories.make_response(answers, evaluation=evaluation, sent=sent)
        found = {"evaluation": str(evaluation.pk), "response": str(response.pk)}
        if findings is None:
            return found
        return found | {"finding": str(factories.give_findings(response, findings))}
    invitation = journey.invite(evaluation=evaluation, by=factories.SETUP, mail=False)
    link = journey.make_link(invitation_id=invitation.pk, by=factories.SETUP)
    return {"link": link, "born": born, "evaluation": str(evaluation.pk), "invitation": str(invitation.pk)}


def again(*, answers: dict[str, list[Any]], **new: Any) -> dict[str, str]:
    """A `visit` of somebody who sent answers four months ago, with a link to the new form."""
    from django.utils import timezone

    from intake import audit
    from intake.patients.models import Evaluation
    from tests import factories

    found = visit(**new)
    then = timezone.now() - timedelta(days=120)
    with audit.audited("tests.read", by=factories.SETUP):
        now = Evaluation.objects.select_related("patient", "physio").get(pk=found["evaluation"])
    earlier = factories.make_evaluation(patient=now.patient, physio=now.physio, starts_at=then, is_over=True)
    factories.make_response(answers, evaluation=earlier, at=then - timedelta(days=3))
    return found


def asks(
    *,
    given: str = "Ana",
    family: str = "Silva",
    born: str = "1986-04-12",
    email: str = "ana.silva@patients.example",
    phone: str = "",
    source: str = "rolling-in",
    answers: dict[str, list[Any]] | None = None,
) -> dict[str, str]:
    """Somebody who asked for an evaluation, with a link that was not mailed. With answers: sent as well."""
    from intake import journey
    from intake.patients.models import EvaluationRequest
    from tests import factories

    asked = EvaluationRequest(
        given_name=given,
        family_name=family,
        birth_date=date.fromisoformat(born),
        email=email,
        phone=phone,
        source=source,
    )
    journey.ask_for_evaluation(asked=asked, mail=False)
    found = {"request": str(asked.pk), "evaluation": str(asked.evaluation_id), "born": born}
    if answers is not None:
        return found | {"response": str(factories.make_response(answers, evaluation=asked.evaluation).pk)}
    return found | another_link(evaluation=found["evaluation"])


def visits(*, count: int) -> list[dict[str, Any]]:
    """Many at once, each with a link and the answers to send, page by page; every kind of intake in turn."""
    from django.db.models import Max
    from django.utils import timezone

    from clinic import demo
    from clinic.models import User
    from intake import audit
    from intake.patients.links import hash_token, new_token
    from intake.patients.models import Evaluation, Invitation, Patient
    from intake.questionnaires.load import active_questionnaire
    from intake.questionnaires.pages import pages
    from tests import factories

    employ(role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr.")
    physio, now, born = User.objects.get(username="ortiz"), timezone.now(), date(1979, 1, 5)
    kinds = (factories.ROLLING_IN, factories.SPARING, factories.SWOLLEN_CALF, factories.CALM)
    found = []
    with audit.audited("tests.made", by=factories.SETUP):
        questionnaire = active_questionnaire()
        definition = questionnaire.tree()
        filled = []
        for kind in kinds:
            person = demo.Person("", "", born, now.time(), "", "", {key: list(kind[key]) for key in kind})
            answers = demo.fill(definition, person)
            filled.append(
                {
                    page.slug: {
                        item.link_id: list(answers[item.link_id])
                        for item in page.item.walk()
                        if item.link_id in answers
                    }
                    for page in pages(definition)
                }
            )
        patients = Patient.objects.bulk_create(
            Patient(given_name="Pat", family_name=f"Number {number}", birth_date=born)
            for number in range(count)
        )
        # After whatever an earlier call made: nobody has two visits at once.
        last = Evaluation.objects.filter(physio=physio).aggregate(at=Max("starts_at"))["at"] or now
        first = max(last, now) + timedelta(days=2)
        evaluations = Evaluation.objects.bulk_create(
            Evaluation(patient=patient, physio=physio, starts_at=first + timedelta(hours=number))
            for number, patient in enumerate(patients)
        )
        tokens = [new_token() for _ in range(count)]
        Invitation.objects.bulk_create(
            Invitation(
                evaluation=evaluation,
                questionnaire=questionnaire,
                token_hash=hash_token(token),
                created_at=now,
                expires_at=evaluation.link_ends_at,
            )
            for evaluation, token in zip(evaluations, tokens, strict=True)
        )
    for number, (evaluation, token) in enumerate(zip(evaluations, tokens, strict=True)):
        found.append(
            {
                "link": f"/intake/open/{token}/",
                "born": born.isoformat(),
                "evaluation": str(evaluation.pk),
                "answers": {slug: page for slug, page in filled[number % len(filled)].items() if page},
            }
        )
    return found


def drafts(*, count: int) -> dict[str, Any]:
    """So many patients at work, each on a form that is filled in and not sent; it raises four findings.

    The first is saved page by page, the others are copies. sessions: the cookie of each. revision: of every
    draft. answers: `{linkId: [value, ...]}`.
    """
    from dataclasses import replace

    from django.utils import timezone

    from clinic import demo
    from intake import audit, journey
    from intake.patients.links import hash_token, new_token
    from intake.patients.models import Invitation, PatientSession
    from intake.questionnaires.pages import pages
    from intake.responses.models import QuestionnaireResponse
    from tests import factories

    made = visits(count=count)
    born, now = date.fromisoformat(made[0]["born"]), timezone.now()
    tokens = [new_token() for _ in made]
    with audit.audited("tests.read", by=factories.SETUP):
        invitations = list(
            Invitation.objects.filter(evaluation__in=[one["evaluation"] for one in made]).select_related(
                "evaluation__patient", "questionnaire"
            )
        )
        definition = invitations[0].questionnaire.tree()
        answers = demo.fill(definition, replace(demo.TODAY[0], born=born))
        for page in pages(definition):
            fields = {item.link_id for item in page.item.walk()} & answers.keys()
            journey.save_page(
                invitation=invitations[0],
                page=page,
                fields=fields,
                answers={link_id: answers[link_id] for link_id in fields},
                by=audit.patient(invitations[0].pk),
            )
        first = QuestionnaireResponse.objects.get(invitation=invitations[0])
        QuestionnaireResponse.objects.bulk_create(
            QuestionnaireResponse(
                evaluation_id=invitation.evaluation_id,
                invitation=invitation,
                questionnaire_id=first.questionnaire_id,
                answers=first.answers,
                written=first.written,
                saved_pages=first.saved_pages,
                revision=first.revision,
            )
            for invitation in invitations[1:]
        )
        PatientSession.objects.bulk_create(
            PatientSession(
                invitation=invitation,
                token_hash=hash_token(token),
                device_hash=hash_token(token),
                started_at=now,
                # However long the others take, she looked at her form just now.
                last_seen_at=now + timedelta(hours=2),
            )
            for invitation, token in zip(invitations, tokens, strict=True)
        )
    return {"sessions": tokens, "revision": first.revision, "answers": first.answers}


def known_intakes() -> dict[str, dict[str, list[Any]]]:
    """Answers of `tests.factories` by name."""
    from tests import factories

    return {
        name: {link_id: list(values) for link_id, values in getattr(factories, name).items()}
        for name in ("CALM", "ROLLING_IN", "SPARING", "SWOLLEN_CALF", "FULLEST")
    }


def demo_day() -> dict[str, str]:
    """The demo's people with a visit today, at every stage: ids of their intakes by name.

    Of a visit without an intake, its own id.
    """
    from django.utils import timezone

    from clinic import demo
    from clinic.models import User
    from intake import audit, journey
    from intake.responses.models import QuestionnaireResponse
    from tests import factories

    employ(role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr.")
    employ(role="physio", username="reyes", first_name="Alex", last_name="Reyes", title="Dr.")
    people = {user.username: user for user in User.objects.filter(username__in=("ortiz", "reyes"))}
    found = staff(role="physio", username="ortiz")
    for person in demo.TODAY:
        evaluation = demo.book(person, people, timezone.localdate())
        if person.stage == "invited":
            journey.invite(evaluation=evaluation, by=factories.SETUP, mail=False)
            found[f"{person.given} {person.family}"] = str(evaluation.pk)
            continue
        demo.answer(evaluation, person)
        with audit.audited("tests.read", by=factories.SETUP):
            response = QuestionnaireResponse.objects.get(evaluation=evaluation)
        found[f"{person.given} {person.family}"] = str(response.pk)
    calm = {link_id: list(values) for link_id, values in factories.CALM.items()}
    return {**found, "calm": visit(given="Nothing", family="Found", answers=calm)["response"]}


def another_link(*, evaluation: str) -> dict[str, str]:
    """A newer link to the same visit; it ends the one before."""
    from intake import audit, journey
    from intake.patients.models import Evaluation
    from tests import factories

    with audit.audited("tests.read", by=factories.SETUP):
        found = Evaluation.objects.get(pk=evaluation)
    invitation = journey.invite(evaluation=found, by=factories.SETUP, mail=False)
    return {"link": journey.make_link(invitation_id=invitation.pk, by=factories.SETUP)}


def idle(*, evaluation: str) -> None:
    """Half an hour and a minute go by for whoever has the form of this visit open."""
    from django.db.models import F

    from intake import audit
    from intake.patients.models import PatientSession
    from tests import factories

    with audit.audited("tests.made", by=factories.SETUP):
        sessions = PatientSession.objects.filter(invitation__evaluation=evaluation)
        sessions.update(last_seen_at=F("last_seen_at") - timedelta(minutes=31))


def idle_staff() -> None:
    """A quarter of an hour goes by for everybody of the staff who is signed in."""
    from django.db.models import F

    from clinic.models import Session

    Session.objects.update(expire_date=F("expire_date") - timedelta(minutes=15))


def stored(*, evaluation: str) -> dict[str, Any]:
    """What stands in the database about one visit."""
    from intake import audit
    from intake.audit import AuditEvent
    from intake.patients.models import AccessEvent, Invitation, PatientSession
    from intake.responses.models import QuestionnaireResponse
    from intake.screening.models import Finding, RedFlag
    from tests import factories

    with audit.audited("tests.read", by=factories.SETUP):
        responses = list(QuestionnaireResponse.objects.filter(evaluation=evaluation))
        ids = [str(response.pk) for response in responses]
        return {
            "intakes": [
                {"status": one.status, "answers": one.answers, "pages": one.saved_pages} for one in responses
            ],
            "findings": sorted(
                [finding.rule.rule_id, finding.side]
                for finding in Finding.objects.filter(response__in=ids).select_related("rule")
            ),
            "flags": sorted(
                [flag.rule.rule_id, flag.side, flag.tier, flag.state]
                for flag in RedFlag.objects.filter(response__in=ids).select_related("rule")
            ),
            "sent_rows": AuditEvent.objects.filter(
                action="intake.sent", objects_seen__response__contained_by=ids
            ).count()
            if ids
            else 0,
            "opened": Invitation.objects.filter(evaluation=evaluation, opened_at__isnull=False).exists(),
            "tries": list(
                AccessEvent.objects.filter(invitation__evaluation=evaluation)
                .order_by("pk")
                .values_list("kind", flat=True)
            ),
            "sessions": PatientSession.objects.filter(invitation__evaluation=evaluation).count(),
        }


def decisions(*, response: str) -> dict[str, Any]:
    """Every decision on the findings of one intake, oldest first; what the trail has of them; what stands.

    verdicts: `[key, finding, who, note]`. trail: `[finding, who]`. standing: the note by finding, as the
    review page has it. reviews: how many were begun.
    """
    from clinic.models import User
    from intake import audit
    from intake.audit import AuditEvent
    from intake.review.models import Review, Verdict
    from intake.review.page import review_page
    from tests import factories

    names = dict(User.objects.values_list("pk", "username"))
    reader = User.objects.get(username="ortiz")
    with audit.audited("tests.read", by=factories.SETUP):
        verdicts = Verdict.objects.filter(finding__response=response).order_by("pk")
        page = review_page(user=reader, response_id=UUID(response))
        return {
            "verdicts": [[one.pk, one.finding_id, names[one.by_id], one.note] for one in verdicts],
            "trail": [
                [int(event.objects_seen["finding"][0]), names[int(event.actor_id)]]
                for event in AuditEvent.objects.filter(
                    action="finding.decided", objects_seen__response__contains=[response]
                )
            ],
            "standing": {card.key: card.verdict.note for card in page.findings if card.verdict},
            "reviews": Review.objects.filter(response=response).count(),
        }


def notices() -> list[int]:
    """How often each notice to whoever is on call was tried in vain, of those that wait to be tried again."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    waiting = ProcrastinateJob.objects.filter(task_name="mail_on_call", status="todo", attempts__gt=0)
    return list(waiting.order_by("pk").values_list("attempts", flat=True))


def hostile(*, start: int) -> dict[str, Any]:
    """A visit whose every text would run if it could: pages and accounts by role, the patient’s cookie."""
    from django.conf import settings

    from intake import audit
    from intake.patients import links
    from tests import factories, hostile_world
    from tests.hostile import hostile_words

    made = hostile_world.make_hostile(hostile_words(start))
    with audit.audited("tests.opened", by=factories.SETUP):
        opened = links.open_session(invitation=made.response.invitation, address=None, device_token="")
    return {
        "views": made.views,
        "accounts": {role: _ready(one) for role, one in made.users.items()},
        "cookie": {"name": settings.PATIENT_COOKIE_NAME, "value": opened.session_token},
    }


TASKS: Final[dict[str, Callable[..., Any]]] = {
    task.__name__: task
    for task in (
        *(
            staff,
            newcomer,
            visit,
            again,
            asks,
            visits,
            known_intakes,
            demo_day,
            another_link,
            idle,
            idle_staff,
        ),
        *(stored, decisions, drafts, notices, proves, hostile),
    )
}


def main() -> int:
    django.setup()
    for line in sys.stdin:
        words = json.loads(line)
        try:
            answer = TASKS[words.pop("task")](**words)
        except Exception:
            traceback.print_exc()
            return 1
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
