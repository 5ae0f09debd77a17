"""Whatever patient and staff do, in any order: no error, no invalid state, the database is what a model says.

Two devices of one patient, a physio and the front desk at one visit, a second visit whose ids and keys are
foreign to it, and a clock that somebody moves.
"""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from intake import audit, journey
from intake.admin.reviews import flag_stamp
from intake.patients import links
from intake.patients.models import AccessCode, Evaluation, Invitation
from intake.questionnaires.load import active_questionnaire
from intake.responses.answers import check
from intake.responses.models import QuestionnaireResponse
from intake.review.contacts import waiting_flags
from intake.review.models import Closing, Outcome, RedFlagContact, Review, Verdict
from intake.screening.models import Finding, RedFlag
from tests.factories import (
    ROLLING_IN,
    SETUP,
    SWOLLEN_CALF,
    make_evaluation,
    make_patient,
    make_response,
    make_user,
)
from tests.integration.intake.machine_model import Code, Device, Model, Session, Version
from tests.integration.intake.visitor import filled_in, text_of

DEVICES = ("phone", "laptop")
PAIN = ("pain.now", "pain.worst", "pain.average")
# Optional questions of the same page, which a post without them empties.
LEGS = "safety.leg-signs.left"
TICKED = (LEGS, tuple(SWOLLEN_CALF[LEGS]))
BORN, OTHER_DAY = ("4", "12", "1986"), ("4", "13", "1986")
# Longer than anything random.
FOREIGN = "Somebody-Elses"
REASON = "An old test was looked at again."

DECISIONS = {"confirm": "confirmed", "assess": "provisional", "dismiss": "refuted", "undo": "unconfirmed"}
# A device that opened the visit before is the commonest, so it comes first.
device = st.sampled_from([*DEVICES[:1] * 3, *DEVICES])
mostly = st.sampled_from([True, True, True, False])


after_it_was_sent = precondition(lambda self: self.model.standing.sent)


class Visit(RuleBasedStateMachine):
    """One example is one visit, in a transaction that is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.settings = override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend")
        self.settings.enable()
        self.zero = timezone.now().replace(microsecond=0)
        self.travel = time_machine.travel(self.zero, tick=False)
        self.clock = self.travel.start()
        self.addresses = 0
        self.staff_came = 0.0

    def teardown(self) -> None:
        self.travel.stop()
        self.settings.disable()
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @initialize(hours=st.sampled_from([1, 3, 30]), sent=st.sampled_from([True, True, False]))
    def begin(self, hours: int, sent: bool) -> None:
        starts_at = self.zero + timedelta(hours=hours)
        self.physio, self.desk_user = make_user("physio"), make_user("front desk")
        self.evaluation = make_evaluation(starts_at=starts_at, physio=self.physio)
        tree = active_questionnaire().tree()
        whole = filled_in(tree, ROLLING_IN)
        draft = make_response(whole, evaluation=self.evaluation, sent=False)
        self.start = {link_id: tuple(values) for link_id, values in whole.items()}
        self.tree = tree
        self.safety = {
            item.link_id: self.start.get(item.link_id, ())
            for page in tree.items
            if page.link_id == "page.safety"
            for item in page.walk()
            if item.is_question
        }
        required = tuple(
            item.link_id for item in tree.walk() if item.required and self.start.get(item.link_id)
        )
        self.model = Model(required, TICKED, starts=hours * 3600.0)
        self.model.versions.append(Version(dict(self.start)))
        self.model.devices = {name: Device() for name in DEVICES}
        self.browsers = {name: Client(raise_request_exception=False) for name in DEVICES}
        self.tokens = [self.token_of(draft.invitation)]
        with audit.audited("tests.opened", by=SETUP):
            opened = links.open_session(invitation=draft.invitation, address=None, device_token="")
        phone = self.model.devices["phone"]
        phone.session, phone.known = Session(0, 0), True
        self.browsers["phone"].cookies[django_settings.PATIENT_COOKIE_NAME] = opened.session_token
        self.browsers["phone"].cookies[django_settings.DEVICE_COOKIE_NAME] = opened.device_token
        # Another person's visit, whose finding and key open nothing here.
        foreign = make_response(
            ROLLING_IN, evaluation=make_evaluation(patient=make_patient(given_name=FOREIGN))
        )
        with audit.audited("tests.read", by=SETUP):
            self.foreign_finding = foreign.findings.values_list("pk", flat=True)[0]
        self.foreign_key, self.foreign = str(foreign.submit_key), foreign
        self.keys = [str(uuid.uuid4()) for _ in range(3)]
        self.responses: list[uuid.UUID] = [draft.pk]
        self.staff: dict[str, Client] = {}
        if sent:
            self.send("phone", self.keys[0])

    # ---- how things are asked

    def token_of(self, invitation: Invitation) -> str:
        link = journey.make_link(invitation_id=invitation.pk, by=SETUP)
        return link.rstrip("/").rsplit("/", 1)[-1]

    def answered(self, response: HttpResponse, expected: str) -> None:
        """The status, where it leads to if the model says so, and never an error of ours."""
        assert response.status_code < 500, response.text[:500]
        status, _, leads = expected.partition(" ")
        assert str(response.status_code) == status, (expected, response.headers.get("Location"))
        if leads.startswith("/"):
            assert response.headers["Location"] == leads
        assert FOREIGN not in response.text

    def post(self, name: str, path: str, data: dict[str, Any]) -> HttpResponse:
        self.addresses += 1
        address = f"203.0.{self.addresses // 250}.{self.addresses % 250}"
        return self.browsers[name].post(path, data, REMOTE_ADDR=address)

    def at_desk(self, who: str) -> Client:
        if who not in self.staff or self.model.now > self.staff_came + 300:
            self.staff = {}
            for role, user in (("physio", self.physio), ("desk", self.desk_user)):
                self.staff[role] = Client(raise_request_exception=False)
                self.staff[role].force_login(user)
            self.staff_came = self.model.now
        return self.staff[who]

    def on(self, page: str, key: uuid.UUID) -> str:
        return reverse(f"admin:intake_questionnaireresponse_{page}", args=[key])

    def at_visit(self, page: str, data: dict[str, Any] | None = None) -> HttpResponse:
        url = reverse(f"admin:intake_evaluation_{page}", args=[self.evaluation.pk])
        return self.at_desk("desk").post(url, data or {})

    def version(self, place: int) -> tuple[Version, uuid.UUID]:
        """What stands, or the one before it."""
        place = len(self.model.versions) - 1 - min(place, len(self.model.versions) - 1)
        return self.model.versions[place], self.responses[place]

    # ---- time

    @rule(seconds=st.sampled_from([1, 70, 70, 11 * 60, 16 * 60, 16 * 60, 31 * 60, 61 * 60]))
    def time_passes(self, seconds: int) -> None:
        self.move(seconds)

    @precondition(lambda self: not self.model.begun)
    @rule()
    def the_visit_begins(self) -> None:
        self.move(self.model.starts - self.model.now + 60)

    def move(self, seconds: float) -> None:
        self.model.now += seconds
        self.clock.move_to(self.zero + timedelta(seconds=self.model.now))

    # ---- the patient

    @precondition(lambda self: not self.model.is_in("phone") and self.model.opens(self.model.link))
    @rule()
    def come_back(self) -> None:
        self.open_link("phone", True, False)

    @precondition(lambda self: not self.model.is_in("laptop") and self.model.opens(self.model.link))
    @rule()
    def come_on_the_laptop(self) -> None:
        self.open_link("laptop", True, False)
        if self.model.devices["laptop"].code:
            self.type_code("laptop", True)

    @rule(name=device, right=mostly, old=mostly.map(lambda often: not often))
    def open_link(self, name: str, right: bool, old: bool) -> None:
        self.move(1)
        link = self.model.link if not old else 0
        month, day, year = BORN if right else OTHER_DAY
        before = self.codes()
        response = self.post(
            name,
            reverse("intake:open", args=[self.tokens[link]]),
            {"month": month, "day": day, "year": year},
        )
        self.answered(response, self.model.open_link(name, link, right=right))
        self.deliver(name, before)

    def codes(self) -> set[int]:
        with audit.covered():
            return set(
                AccessCode.objects.filter(invitation__evaluation=self.evaluation).values_list("pk", flat=True)
            )

    def deliver(self, name: str, before: set[int]) -> None:
        """The mail with the digits, which only this device can use."""
        for key in self.codes() - before:
            assert journey.deliver_code(code_id=key)
            (digits,) = re.findall(r"\b\d{6}\b", mail.outbox[-1].body)
            asked = self.model.devices[name].code
            assert asked is not None
            asked.digits = digits

    @rule(name=device, right=mostly)
    def type_code(self, name: str, right: bool) -> None:
        self.move(1)
        code = self.model.devices[name].code or Code(0, 0, "123456")
        digits = code.digits if right else f"{(int(code.digits) + 1) % 10**6:06}"
        response = self.post(name, reverse("intake:code"), {"code": digits})
        self.answered(response, self.model.type_code(name, digits))

    @rule(name=device, values=st.tuples(*[st.integers(0, 10)] * 3))
    def save_pain(self, name: str, values: tuple[int, ...]) -> None:
        self.save(name, "pain", dict(zip(PAIN, ((value,) for value in values), strict=True)))

    @rule(name=device, lost=st.sampled_from(PAIN), junk=st.sampled_from(["", "eleven", "-1", "11", "1e9"]))
    def save_pain_amiss(self, name: str, lost: str, junk: str) -> None:
        """What is no answer changes none; what is empty takes it away."""
        fields: dict[str, tuple[object, ...]] = {one: (3,) for one in PAIN if one != lost}
        if not junk:
            fields[lost] = ()
        self.save(name, "pain", fields, extra={lost: junk}, amiss=True)

    @rule(name=device, ticked=st.booleans())
    def save_safety(self, name: str, ticked: bool) -> None:
        fields = dict(self.safety)
        if ticked:
            fields[LEGS] = TICKED[1]
        self.save(name, "safety", fields)

    def save(
        self,
        name: str,
        slug: str,
        fields: dict[str, tuple[object, ...]],
        *,
        extra: dict[str, str] | None = None,
        amiss: bool = False,
    ) -> None:
        self.move(1)
        data: dict[str, Any] = {one: [text_of(value) for value in values] for one, values in fields.items()}
        data |= {"why.story": "not on this page", "submit_key": self.keys[0], **(extra or {})}
        response = self.post(name, reverse("intake:page", args=[slug]), data)
        expected = self.model.save(name, fields, amiss=amiss)
        self.answered(response, expected)
        if expected.startswith("200"):
            assert ("urgent-title" in response.text) == (expected == "200 advice")

    @rule(name=device, mistake=st.booleans())
    def press_advice(self, name: str, mistake: bool) -> None:
        self.move(1)
        answer = "mistake" if mistake else "understood"
        response = self.post(name, reverse("intake:advice"), {"answer": answer})
        self.answered(response, self.model.press_advice(name, mistake=mistake))

    @rule(name=device)
    def begin_change(self, name: str) -> None:
        self.move(1)
        self.answered(self.post(name, reverse("intake:change"), {}), self.model.begin_change(name))

    @rule(name=device)
    def keep(self, name: str) -> None:
        self.move(1)
        self.answered(self.post(name, reverse("intake:keep"), {}), self.model.keep(name))

    @rule(name=device, place=st.integers(0, 2), stale=st.sampled_from([False, False, True]))
    def submit(self, name: str, place: int, stale: bool) -> None:
        self.send(name, self.keys[place], stale=stale)

    @rule(name=device)
    def submit_with_a_foreign_key(self, name: str) -> None:
        self.send(name, self.foreign_key, foreign=True)

    def send(self, name: str, key: str, *, stale: bool = False, foreign: bool = False) -> None:
        self.move(1)
        working = self.stored()[-1]
        revision = working.revision - 1 if stale and working.revision else working.revision
        sent = sum(version.sent for version in self.model.versions)
        response = self.post(
            name, reverse("intake:check"), {"key": key, "confirm": "yes", "revision": str(revision)}
        )
        expected = self.model.submit(name, key, stale=stale and revision != working.revision, foreign=foreign)
        self.answered(response, expected)
        if sum(version.sent for version in self.model.versions) > sent:
            if len(self.model.versions) > len(self.responses):
                self.responses.append(working.pk)
            with audit.covered():
                found = Finding.objects.filter(response=self.responses[-1], rule__kind="chain")
                self.model.found(tuple(found.order_by("rule__rule_id", "side").values_list("pk", flat=True)))
            assert self.model.standing.findings
            # Each key sends one form.
            self.keys.append(self.keys.pop(self.keys.index(key)))

    def leave(self, name: str) -> None:
        self.move(1)
        self.answered(self.post(name, reverse("intake:leave"), {}), self.model.leave(name))

    @rule(
        name=device,
        page=st.sampled_from(
            ["", "start/", "pain/", "safety/", "advice/", "check/", "sent/", "status/", "answers/"]
        ),
    )
    def look(self, name: str, page: str) -> None:
        self.move(1)
        response = self.browsers[name].get(f"/intake/{page}")
        assert (response.status_code == 403) == (not self.model.at_work(name))
        assert response.status_code < 500

    # ---- staff

    @after_it_was_sent
    @rule(
        place=st.integers(0, 1),
        finding=st.integers(0, 3),
        do=st.sampled_from(sorted(DECISIONS)),
        reason=mostly,
    )
    def decide(self, place: int, finding: int, do: str, reason: bool) -> None:
        """finding 3: another visit's."""
        self.move(1)
        version, key = self.version(place)
        findings = version.findings or (self.foreign_finding,)
        which = self.foreign_finding if finding == 3 else findings[finding % len(findings)]
        data = {"do": do, "finding": which, "reason": "old-injury" if reason else "", "note": "<b>" * reason}
        response = self.at_desk("physio").post(self.on("review", key), data)
        self.answered(response, self.model.decide(version, which, DECISIONS[do], reason=reason))

    @rule(place=st.integers(0, 1), reached=mostly, stale=st.sampled_from([False, False, False, True]))
    def call(self, place: int, reached: bool, stale: bool) -> None:
        self.move(1)
        version, key = self.version(place)
        with audit.covered():
            flags = waiting_flags(QuestionnaireResponse(pk=self.responses[-1]))
        data = {
            "do": "contact",
            "called": "Jordan",
            "called_at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"),
            "outcome": "reached" if reached else "no-answer",
            "next_step": "Goes to see a doctor today.",
            "flags": "" if stale else " ".join(flag_stamp(flag.pk, flag.raised_at) for flag in flags),
        }
        response = self.at_desk("physio").post(self.on("review", key), data)
        self.answered(response, self.model.call(version, reached=reached, stale=stale))

    @after_it_was_sent
    @rule(place=st.integers(0, 1))
    def finish(self, place: int) -> None:
        self.move(1)
        version, key = self.version(place)
        response = self.at_desk("physio").post(self.on("review", key), {"do": "finish"})
        self.answered(response, self.model.finish(version))

    @after_it_was_sent
    @rule(place=st.integers(0, 1))
    def reopen_review(self, place: int) -> None:
        self.move(1)
        version, key = self.version(place)
        response = self.at_desk("physio").post(self.on("review", key), {"do": "reopen"})
        self.answered(response, self.model.reopen_review(version))

    @after_it_was_sent
    @rule(
        place=st.sampled_from([0, 0, 1]),
        result=st.sampled_from(["found", "not-found"]),
        few=st.booleans(),
        close=st.booleans(),
    )
    def record(self, place: int, result: str, few: bool, close: bool) -> None:
        self.move(1)
        version, key = self.version(place)
        results = dict.fromkeys(version.findings[:1] if few else version.findings, result)
        data = {f"result-{one}": value for one, value in results.items()}
        data |= {"do": "close" if close else "save", f"result-{self.foreign_finding}": "found"}
        response = self.at_desk("physio").post(self.on("outcome", key), data)
        self.answered(response, self.model.record(version, results, close=close))

    @after_it_was_sent
    @rule(place=st.sampled_from([0, 0, 1]), reason=st.sampled_from([REASON, REASON, " "]))
    def reopen(self, place: int, reason: str) -> None:
        self.move(1)
        version, key = self.version(place)
        response = self.at_desk("physio").post(self.on("outcome", key), {"do": "reopen", "reason": reason})
        self.answered(response, self.model.reopen(version, reason))

    @rule(
        which=st.sampled_from(
            ["cancel", "new_link", "end_link", "hours", "rebook", "draft", "leave", "guess"]
        ),
        name=device,
    )
    def seldom(self, which: str, name: str) -> None:
        """What ends a lot at once, so that it does not end most of what is tried."""
        if which == "hours":
            self.move(5 * 3600)
        elif which == "rebook":
            self.rebook(5)
        elif which == "leave":
            self.leave(name)
        elif which == "draft":
            for act in (self.finish, self.reopen_review):
                act(0)
            self.decide(0, 0, "confirm", True)
            self.record(0, "found", False, True)
            self.reopen(0, REASON)
        elif which == "guess":
            for _ in range(6):
                self.open_link(name, False, False)
        else:
            getattr(self, which)()

    def cancel(self) -> None:
        self.move(1)
        self.answered(self.at_visit("cancel"), self.model.cancel())

    @precondition(lambda self: not self.model.booked)
    @rule(hours=st.sampled_from([1, 5, 50]))
    def rebook(self, hours: int) -> None:
        self.move(1)
        at = (timezone.localtime() + timedelta(hours=hours, minutes=1)).replace(second=0)
        data = {"physio": self.physio.pk, "starts_at": at.strftime("%Y-%m-%dT%H:%M"), "minutes": 60}
        self.answered(self.at_visit("rebook", data), self.model.rebook((at - self.zero).total_seconds()))

    @precondition(lambda self: self.model.links[-1] is not None)
    @rule()
    def new_link(self) -> None:
        self.move(1)
        response = self.at_visit("invite")
        expected = self.model.new_link()
        self.answered(response, expected)
        if expected == "303 new":
            with audit.covered():
                newest = Invitation.objects.filter(evaluation=self.evaluation).latest("created_at")
            self.tokens.append(self.token_of(newest))

    def end_link(self) -> None:
        self.move(1)
        self.answered(self.at_visit("end_link"), self.model.end_link())

    @rule(page=st.sampled_from(["review", "outcome", "brief", "lessons"]), place=st.integers(0, 1))
    def staff_look(self, page: str, place: int) -> None:
        _, key = self.version(place)
        assert self.at_desk("physio").get(self.on(page, key)).status_code < 500
        assert self.at_desk("desk").get(self.on(page, key)).status_code == 404

    @rule()
    def staff_look_at_lists(self) -> None:
        for who in ("physio", "desk"):
            assert self.at_desk(who).get(reverse("admin:intake_evaluation_changelist")).status_code == 200
            url = reverse("admin:intake_evaluation_change", args=[self.evaluation.pk])
            assert self.at_desk(who).get(url).status_code == 200

    # ---- what has to be so after each step

    def stored(self) -> list[QuestionnaireResponse]:
        """All but what was given up, in order; a change that was not sent is the last one."""
        with audit.covered():
            rows = QuestionnaireResponse.objects.filter(evaluation=self.evaluation).exclude(status="stopped")
            return list(rows.select_related("questionnaire").order_by("started_at"))

    @invariant()
    def the_database_is_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        model, rows = self.model, self.stored()
        versions = [*model.versions, *([model.change] if model.change else [])]
        assert [row.is_sent for row in rows] == [version.sent for version in versions]
        for row, version in zip(rows, versions, strict=True):
            assert {one: tuple(values) for one, values in row.answers.items()} == version.answers
            assert (str(row.submit_key) if row.submit_key else "") == version.key
            assert check(row.questionnaire.tree(), row.answers, consents=row.is_sent) == []
            assert (row.replaced_at is not None) == (row.is_sent and version is not model.standing)
            assert (row.document is not None) == row.is_sent
        with audit.covered():
            evaluation = Evaluation.objects.get(pk=self.evaluation.pk)
            assert (evaluation.status == "booked") == model.booked
            assert evaluation.starts_at == self.zero + timedelta(seconds=model.starts)
            self.links_are_the_models()
            self.flags_are_the_models()
            self.reviews_are_the_models(rows)

    def links_are_the_models(self) -> None:
        rows = Invitation.objects.filter(evaluation=self.evaluation).order_by("created_at")
        state = {"replaced": "revoked", "withdrawn": "revoked", "ended": "ended", None: None}
        assert ["revoked" if row.revoked_at else "ended" if row.ended_at else None for row in rows] == [
            state[how] for how in self.model.links
        ]

    def flags_are_the_models(self) -> None:
        found = [
            (flag.state, flag.withdrawn_at is not None, flag.patient_saw_at is not None, flag.response_id)
            for flag in RedFlag.objects.filter(
                response__evaluation=self.evaluation, tier__in=["emergency", "same-day"]
            )
        ]
        flag = self.model.flag
        wanted = [] if flag is None else [(flag.state, flag.withdrawn, flag.saw, self.responses[-1])]
        assert found == wanted

    def reviews_are_the_models(self, rows: list[QuestionnaireResponse]) -> None:
        mine = {"response__evaluation": self.evaluation}
        finished = set(
            Review.objects.filter(**mine, finished_at__isnull=False).values_list("response", flat=True)
        )
        decisions: dict[int, str] = {}
        for key, decision in (
            Verdict.objects.filter(finding__response__evaluation=self.evaluation)
            .order_by("pk")
            .values_list("finding", "decision")
        ):
            decisions[key] = decision
        results: dict[int, str] = {}
        for key, result in (
            Outcome.objects.filter(finding__response__evaluation=self.evaluation)
            .order_by("pk")
            .values_list("finding", "result")
        ):
            results[key] = result
        assert RedFlagContact.objects.filter(**mine).count() == self.model.calls
        closings: dict[uuid.UUID, list[str]] = {}
        for key, act in Closing.objects.filter(**mine).order_by("number").values_list("response", "act"):
            closings.setdefault(key, []).append(act)
        for row, version in zip(rows, self.model.versions, strict=False):
            assert (row.pk in finished) == version.reviewed
            acts = closings.get(row.pk, [])
            assert (len(acts), bool(acts) and acts[-1] == "closed") == (version.closings, version.closed)
            assert {
                key: value for key, value in decisions.items() if key in version.findings
            } == version.decisions
            assert {
                key: value for key, value in results.items() if key in version.findings
            } == version.outcomes
        assert self.foreign_finding not in decisions
        assert not Outcome.objects.filter(finding=self.foreign_finding).exists()


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Visit,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=QUIET,
            # The steps in their order say enough; to shrink them against a database takes an hour.
            phases=[Phase.generate],
        ),
    )


@pytest.mark.django_db
def test_a_visit_of_any_kind_is_what_the_model_says():
    run(5, 18)


@pytest.mark.deep
@pytest.mark.django_db
def test_twenty_thousand_steps_of_any_kind():
    run(400, 50)
