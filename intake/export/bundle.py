"""A patient's record as one FHIR R4 Bundle of type collection, whose references all lead into it.

What each thing becomes, and why:

- A chain finding is a Condition of the category health-concern, never one of a problem list: it says what may
  be looked at, and its verification status is the physio's verdict (unconfirmed, provisional, confirmed,
  refuted). DetectedIssue is about orders and medicines that clash, RiskAssessment wants a probability; a
  finding is neither. A note on the answers is an Observation of the survey.
- A review is a ClinicalImpression, the one resource about a clinician looking at findings. A verdict is a
  Provenance of its Condition: who decided what and when, each one, since the Condition shows the last alone.
- A red flag is a Flag; a call about it, an invitation, a reminder and shared lessons are Communications.
- What the evaluation showed, a measurement and a link the rules missed are Observations.
- A visit is an Appointment: the portal knows when it was booked, not who came. A request for one is a
  ServiceRequest. What happened to either is a Provenance.
- Who looked is an AuditEvent each. The notice that she saw is a Consent with its version.

Tokens, codes and their hashes are no part of it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings

from intake.export.record import Record
from intake.patients.models import Evaluation, Patient
from intake.responses.answers import read_answers, to_fhir_items
from intake.responses.models import QuestionnaireResponse
from intake.review.measures import MEASURES
from intake.review.models import Decision
from intake.screening.models import Rule

_HL7: Final = "http://terminology.hl7.org/CodeSystem"
_VERIFICATION: Final = {
    "": "unconfirmed",
    Decision.UNCONFIRMED: "unconfirmed",
    Decision.PROVISIONAL: "provisional",
    Decision.CONFIRMED: "confirmed",
    Decision.REFUTED: "refuted",
}
# In the Unified Code for Units of Measure; points are counted, so they have none.
_UCUM: Final = {"mm": "mm", "cm": "cm", "°": "deg", "kg": "kg", "s": "s", "N": "N"}

Resource = dict[str, Any]


def bundle_of(record: Record) -> Resource:
    """The Bundle, as JSON can hold it."""
    return _Bundle(record).whole()


def document_of(response: QuestionnaireResponse) -> Resource:
    """One intake by itself: the record as it was stored when it was sent, or the draft as it stands.

    Its linkIds and its `url|version` are those of the questionnaire that was asked.
    """
    questionnaire = response.questionnaire
    if response.document is not None:
        base: Resource = dict(response.document)
    else:
        answers = read_answers(response.answers)
        base = {"item": to_fhir_items(questionnaire.tree(), answers)}
    subject = {"reference": f"Patient/{response.evaluation.patient_id}"}
    made = {
        "resourceType": "QuestionnaireResponse",
        "id": str(response.pk),
        "questionnaire": f"{questionnaire.url}|{questionnaire.version}",
        "status": response.status,
        "subject": subject,
        "source": subject,
        "authored": moment(response.authored or response.updated_at),
    }
    return made | base | {"status": response.status}


def moment(at: datetime) -> str:
    """A FHIR dateTime, with its zone."""
    return at.isoformat(timespec="seconds")


class _Bundle:
    def __init__(self, record: Record) -> None:
        self.record = record
        self.entries: dict[str, Resource] = {}
        self.patient = self.url("patient", record.patient.pk)

    # ---- addresses

    @staticmethod
    def url(kind: str, key: object) -> str:
        """A name that says nothing and is the same each time."""
        return f"urn:uuid:{uuid5(NAMESPACE_URL, f'{settings.SITE_URL}/fhir/{kind}/{key}')}"

    def identifier(self, kind: str, key: object) -> Resource:
        return {"system": f"{settings.SITE_URL}/fhir/{kind}", "value": str(key)}

    def ref(self, kind: str, key: object) -> Resource:
        return {"reference": self.url(kind, key)}

    def subject(self) -> Resource:
        return {"reference": self.patient}

    def staff(self, key: int | None) -> Resource:
        """A member of staff, who gets an entry at the first mention."""
        user = self.record.staff.get(key) if key is not None else None
        if user is None:
            return {"display": "somebody of the staff who is gone"}
        self.add("practitioner", user.pk, {"resourceType": "Practitioner", "name": [{"text": str(user)}]})
        return self.ref("practitioner", user.pk)

    def engine(self) -> Resource:
        """What runs the rules and sends the mail."""
        name = {"name": "Footing", "type": "user-friendly-name"}
        self.add("device", "portal", {"resourceType": "Device", "deviceName": [name]})
        return self.ref("device", "portal")

    def add(self, kind: str, key: object, resource: Resource) -> None:
        self.entries.setdefault(self.url(kind, key), resource)

    # ---- the whole

    def whole(self) -> Resource:
        record = self.record
        for person in record.people:
            self.person(person)
        for evaluation in record.evaluations:
            self.appointment(evaluation)
        self.requests()
        for response in record.responses:
            self.response(response)
        self.findings()
        self.runs()
        self.red_flags()
        self.after_the_visit()
        self.links()
        self.trail()
        entries = [{"fullUrl": url, "resource": clean(resource)} for url, resource in self.entries.items()]
        return {
            "resourceType": "Bundle",
            "type": "collection",
            "identifier": self.identifier("export", f"{record.patient.pk}/{moment(record.at)}"),
            "timestamp": moment(record.at),
            "entry": entries,
        }

    def person(self, person: Patient) -> None:
        reached = (("email", person.email), ("phone", person.phone))
        link = [{"other": self.subject(), "type": "replaced-by"}] if person.replaced_by_id else None
        self.add(
            "patient",
            person.pk,
            {
                "resourceType": "Patient",
                "identifier": [self.identifier("patient", person.pk)],
                "active": person.replaced_by_id is None,
                "name": [{"family": person.family_name, "given": [person.given_name]}],
                "telecom": [{"system": system, "value": value} for system, value in reached if value],
                "birthDate": person.birth_date.isoformat(),
                "link": link,
            },
        )

    def appointment(self, evaluation: Evaluation) -> None:
        status = {"requested": "proposed", "booked": "booked", "cancelled": "cancelled"}[evaluation.status]
        closings = [c for c in self.record.closings if c.response.evaluation_id == evaluation.pk]
        if status == "booked" and closings and closings[-1].act == "closed":
            status = "fulfilled"
        who = [{"actor": self.ref("patient", evaluation.patient_id), "status": "accepted"}]
        if evaluation.physio_id:
            who.append({"actor": self.staff(evaluation.physio_id), "status": "accepted"})
        resource: Resource = {
            "resourceType": "Appointment",
            "identifier": [self.identifier("evaluation", evaluation.pk)],
            "status": status,
            "created": moment(evaluation.created_at),
            "participant": who,
        }
        if evaluation.starts_at is not None:
            end = evaluation.starts_at.timestamp() + evaluation.minutes * 60
            resource |= {
                "start": moment(evaluation.starts_at),
                "end": moment(datetime.fromtimestamp(end, evaluation.starts_at.tzinfo)),
                "minutesDuration": evaluation.minutes,
            }
        self.add("evaluation", evaluation.pk, resource)
        for event in self.record.of(self.record.bookings, "evaluation", evaluation.pk):
            at = f", for {moment(event.starts_at)}" if event.starts_at else ""
            self.provenance(
                "booking-event",
                event.pk,
                [self.ref("evaluation", evaluation.pk)],
                event.at,
                f"{event.get_kind_display()}{at}",
                self.staff(event.by_id) if event.by_id else self.engine(),
                reason=event.reason,
            )

    def requests(self) -> None:
        for asked in self.record.requests:
            words = {
                "Given name": asked.given_name,
                "Family name": asked.family_name,
                "Date of birth": asked.birth_date.isoformat(),
                "Parent or guardian": asked.guardian_name,
                "E-mail": asked.email,
                "Phone": asked.phone,
                "Preferred times": asked.preferred_times,
                "Came from the lesson": asked.source,
            }
            self.add(
                "evaluation-request",
                asked.pk,
                {
                    "resourceType": "ServiceRequest",
                    "identifier": [self.identifier("evaluation-request", asked.pk)],
                    "status": "completed" if asked.closed_at else "active",
                    "intent": "proposal",
                    "code": {"text": "First evaluation"},
                    "subject": self.subject(),
                    "authoredOn": moment(asked.asked_at),
                    "note": [{"text": f"{name}: {value}"} for name, value in words.items() if value],
                },
            )

    def response(self, response: QuestionnaireResponse) -> None:
        questionnaire = response.questionnaire
        self.add("questionnaire", questionnaire.pk, dict(questionnaire.definition))
        document = document_of(response) | {
            "identifier": self.identifier("intake", response.pk),
            "subject": self.subject(),
            "source": self.subject(),
            "author": self.subject(),
        }
        self.add("response", response.pk, document)
        if response.replaces_id is not None:
            self.provenance(
                "amendment",
                response.pk,
                [self.ref("response", response.pk)],
                response.authored or response.updated_at,
                "Stands in for an earlier one",
                self.subject(),
                source=self.ref("response", response.replaces_id),
            )
        if response.privacy_version is not None:
            self.add("consent", response.pk, self.consent(response, response.privacy_version))

    def consent(self, response: QuestionnaireResponse, version: int) -> Resource:
        notice = f"{settings.SITE_URL}/privacy/"
        return {
            "resourceType": "Consent",
            "status": "active" if response.is_sent else "proposed",
            "scope": {"coding": [{"system": f"{_HL7}/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": self.subject(),
            "dateTime": moment(response.authored or response.updated_at),
            "policy": [{"uri": f"{notice}#version-{version}"}],
            "policyRule": {"text": f"Privacy notice, version {version}"},
            "sourceReference": self.ref("response", response.pk),
        }

    # ---- what the rules raised and staff made of it

    def rule(self, rule: Rule) -> Resource:
        system = f"{settings.SITE_URL}/fhir/rule"
        code = {"system": system, "version": str(rule.version), "code": rule.rule_id, "display": rule.title}
        return {"coding": [code], "text": rule.title}

    def findings(self) -> None:
        for finding in self.record.findings:
            derived = self.ref("response", finding.response_id)
            sides = [side for side in (finding.source_side, finding.target_side) if side]
            at = next(run.at for run in self.record.runs if run.pk == finding.run_id)
            if finding.rule.kind != Rule.Kind.CHAIN:
                self.add(
                    "finding",
                    finding.pk,
                    self.observation("survey", self.rule(finding.rule), at)
                    | {"valueString": finding.rule.title, "derivedFrom": [derived]},
                )
                continue
            verdicts = self.record.of(self.record.verdicts, "finding", finding.pk)
            decision = verdicts[-1].decision if verdicts else ""
            status = _VERIFICATION[decision]
            self.add(
                "finding",
                finding.pk,
                {
                    "resourceType": "Condition",
                    "identifier": [self.identifier("finding", finding.pk)],
                    "clinicalStatus": coded(
                        f"{_HL7}/condition-clinical", "inactive" if status == "refuted" else "active"
                    ),
                    "verificationStatus": coded(f"{_HL7}/condition-ver-status", status),
                    "category": [
                        coded("http://hl7.org/fhir/us/core/CodeSystem/condition-category", "health-concern")
                    ],
                    "code": self.rule(finding.rule),
                    "bodySite": [{"text": f"{sides[0]} to {sides[-1]}"}] if sides else None,
                    "subject": self.subject(),
                    "recordedDate": moment(at),
                    "evidence": [{"detail": [derived]}],
                },
            )
            for verdict in verdicts:
                words = [verdict.get_decision_display()]
                words += [verdict.get_reason_display()] if verdict.reason else []
                words += ["kept from before the change"] if verdict.carried_from_id else []
                self.provenance(
                    "verdict",
                    verdict.pk,
                    [self.ref("finding", finding.pk)],
                    verdict.at,
                    ", ".join(map(str, words)),
                    self.staff(verdict.by_id),
                    reason=verdict.note,
                    kind="verifier",
                )

    def runs(self) -> None:
        """Which rules ran over which answers, and what they raised."""
        for run in self.record.runs:
            raised = [
                self.ref("finding", one.pk) for one in self.record.of(self.record.findings, "run", run.pk)
            ]
            versions = sorted(run.rule_versions.items())
            precautions = f"; precautions: {', '.join(run.precautions)}" if run.precautions else ""
            self.provenance(
                "run",
                run.pk,
                raised or [self.ref("response", run.response_id)],
                run.at,
                f"Rules were run{precautions}",
                self.engine(),
                kind="assembler",
                source=self.ref("response", run.response_id),
                policy=[f"{settings.SITE_URL}/fhir/rule/{rule}|{version}" for rule, version in versions],
            )
        for review in self.record.reviews:
            found = self.record.of(self.record.findings, "response", review.response_id)
            self.add(
                "review",
                review.pk,
                {
                    "resourceType": "ClinicalImpression",
                    "status": "completed" if review.finished_at else "in-progress",
                    "subject": self.subject(),
                    "date": moment(review.finished_at or review.started_at),
                    "assessor": self.staff(review.finished_by_id or review.started_by_id),
                    "investigation": [
                        {"code": {"text": "Intake"}, "item": [self.ref("response", review.response_id)]}
                    ],
                    "finding": [
                        {"itemReference": self.ref("finding", one.pk)}
                        for one in found
                        if one.rule.kind == Rule.Kind.CHAIN
                    ],
                },
            )

    def red_flags(self) -> None:
        for flag in self.record.flags:
            period = {"start": moment(flag.raised_at)}
            if flag.withdrawn_at:
                period["end"] = moment(flag.withdrawn_at)
            self.add(
                "red-flag",
                flag.pk,
                {
                    "resourceType": "Flag",
                    "identifier": [self.identifier("red-flag", flag.pk)],
                    "status": "active" if flag.state == "open" else "inactive",
                    "category": [
                        coded(f"{_HL7}/flag-category", "clinical") | {"text": flag.get_tier_display()}
                    ],
                    "code": self.rule(flag.rule),
                    "subject": self.subject(),
                    "period": period,
                    "author": self.engine(),
                },
            )
        for event in self.record.flag_events:
            self.provenance(
                "red-flag-event",
                event.pk,
                [self.ref("red-flag", event.flag_id)],
                event.at,
                event.get_kind_display(),
                self.subject() if event.kind in ("withdrawn", "seen", "mistake") else self.engine(),
            )
        for contact in self.record.contacts:
            known = {flag.pk for flag in self.record.flags}
            self.communication(
                "contact",
                contact.pk,
                contact.called_at,
                "Call about a red flag",
                [
                    f"Called: {contact.called}",
                    f"What happened: {contact.get_outcome_display()}",
                    contact.next_step,
                ],
                sender=self.staff(contact.by_id),
                about=[self.ref("red-flag", key) for key in contact.flags if key in known],
            )

    def after_the_visit(self) -> None:
        for outcome in self.record.outcomes:
            finding = next(one for one in self.record.findings if one.pk == outcome.finding_id)
            self.add(
                "outcome",
                outcome.pk,
                self.observation("exam", self.rule(finding.rule), outcome.at)
                | {
                    "focus": [self.ref("finding", finding.pk)],
                    "performer": [self.staff(outcome.by_id)],
                    "valueCodeableConcept": {
                        "coding": [
                            {
                                "system": f"{settings.SITE_URL}/fhir/outcome",
                                "code": outcome.result,
                                "display": outcome.get_result_display(),
                            }
                        ]
                    },
                    "note": notes(outcome.get_reason_display() if outcome.reason else "", outcome.note),
                },
            )
        for one in self.record.measurements:
            measure = MEASURES[one.kind]
            unit = str(measure.unit)
            value: Resource = {"value": one.value, "unit": unit}
            if unit in _UCUM:
                value |= {"system": "http://unitsofmeasure.org", "code": _UCUM[unit]}
            taken_back = {"dataAbsentReason": coded(f"{_HL7}/data-absent-reason", "not-performed")}
            system = f"{settings.SITE_URL}/fhir/measurement"
            code = {"coding": [{"system": system, "code": one.kind, "display": str(measure.label)}]}
            self.add(
                "measurement",
                one.pk,
                self.observation("exam", code, one.at)
                | {"bodySite": {"text": one.get_side_display()}, "performer": [self.staff(one.by_id)]}
                | (taken_back if one.value is None else {"valueQuantity": value}),
            )
        for link in self.record.missed:
            ends = f"{link.starts_side} {link.starts_at} to {link.shows_side} {link.shows_at}"
            self.add(
                "missed-link",
                link.pk,
                self.observation("exam", {"text": "Link the rules missed"}, link.at)
                | {
                    "bodySite": {"text": ends},
                    "performer": [self.staff(link.by_id)],
                    "valueString": link.words,
                    "status": "cancelled" if link.takes_back_id else "final",
                },
            )
        for closing in self.record.closings:
            self.provenance(
                "closing",
                closing.pk,
                [self.ref("evaluation", closing.response.evaluation_id)],
                closing.at,
                f"Evaluation: {closing.get_act_display()}",
                self.staff(closing.by_id),
                reason=closing.reason,
            )

    # ---- what went out to her, and what came in over it

    def links(self) -> None:
        for link in self.record.invitations:
            ended = [
                f"{word} {moment(at)}"
                for word, at in (("Replaced or withdrawn", link.revoked_at), ("Ended", link.ended_at))
                if at
            ]
            self.communication(
                "invitation",
                link.pk,
                link.sent_at,
                "Link to the form",
                [f"Lives until {moment(link.expires_at)}", *ended],
                received=link.opened_at,
            )
        for share in self.record.shares:
            self.communication(
                "lesson-share",
                share.pk,
                share.at,
                "Lessons shared",
                [f"{settings.SITE_URL}/learn/{slug}/" for slug in share.lessons],
                sender=self.staff(share.by_id),
                received=share.opened_at,
                status="stopped" if share.revoked_at else "completed",
            )
        for reminder in self.record.reminders:
            text = [f"For {moment(reminder.starts_at)}", reminder.get_state_display()]
            self.communication(
                "reminder",
                reminder.pk,
                reminder.settled_at if reminder.state == "sent" else None,
                f"Reminder, {reminder.get_kind_display()}",
                text,
                status="completed" if reminder.state == "sent" else "not-done",
            )

    def trail(self) -> None:
        """Who looked, then where she herself came from."""
        for number, look in enumerate(self.record.looks):
            self.event("look", number, look.at, look.action, look.who)
        for event in self.record.events:
            where = f", from {event.address}" if event.address else ""
            self.event(
                "link-event", event.pk, event.at, f"link: {event.get_kind_display()}{where}", "her link"
            )
        for session in self.record.sessions:
            kind = "session on the clinic’s tablet" if session.on_tablet else "session"
            until = moment(session.ended_at or session.last_seen_at)
            self.event("session", session.pk, session.started_at, f"{kind}, until {until}", "her browser")
        for code in self.record.codes:
            used = "used" if code.used_at else "not used"
            self.event("access-code", code.pk, code.asked_at, f"code by e-mail, {used}", "her browser")
        for tablet in self.record.tablet_codes:
            used = "used" if tablet.used_at else "not used"
            who = str(self.record.staff.get(tablet.started_by_id, ""))
            self.event("tablet-code", tablet.pk, tablet.started_at, f"code for the tablet, {used}", who)
        for stone in self.record.erasures:
            self.event(
                "erasure", stone.pk, stone.at, f"erased: {stone.get_reason_display()}", stone.actor_kind
            )

    # ---- resources that several kinds become

    def observation(self, category: str, code: Resource, at: datetime) -> Resource:
        return {
            "resourceType": "Observation",
            "status": "final",
            "category": [coded(f"{_HL7}/observation-category", category)],
            "code": code,
            "subject": self.subject(),
            "effectiveDateTime": moment(at),
        }

    def provenance(
        self,
        name: str,
        key: object,
        target: list[Resource],
        at: datetime,
        activity: Any,
        who: Resource,
        *,
        kind: str = "author",
        reason: str = "",
        source: Resource | None = None,
        policy: list[str] | None = None,
    ) -> None:
        agent = {"type": coded(f"{_HL7}/provenance-participant-type", kind), "who": who}
        self.add(
            name,
            key,
            {
                "resourceType": "Provenance",
                "target": target,
                "recorded": moment(at),
                "policy": policy,
                "reason": [{"text": reason}] if reason else None,
                "activity": {"text": str(activity)},
                "agent": [agent],
                "entity": [{"role": "source", "what": source}] if source else None,
            },
        )

    def communication(
        self,
        name: str,
        key: object,
        at: datetime | None,
        topic: Any,
        text: Iterable[Any],
        *,
        sender: Resource | None = None,
        about: list[Resource] | None = None,
        received: datetime | None = None,
        status: str = "",
    ) -> None:
        self.add(
            name,
            key,
            {
                "resourceType": "Communication",
                "status": status or ("completed" if at else "not-done"),
                "subject": self.subject(),
                "topic": {"text": str(topic)},
                "about": about,
                "sent": moment(at) if at else None,
                "received": moment(received) if received else None,
                "recipient": [self.subject()],
                "sender": sender or self.engine(),
                "payload": [{"contentString": str(line)} for line in text if line],
            },
        )

    def event(self, name: str, key: object, at: datetime, action: str, who: str) -> None:
        self.add(
            name,
            key,
            {
                "resourceType": "AuditEvent",
                "type": {"system": f"{_HL7}/audit-event-type", "code": "rest"},
                "subtype": [{"system": f"{settings.SITE_URL}/fhir/action", "code": action}],
                "recorded": moment(at),
                "outcome": "0",
                "agent": [{"name": who, "requestor": True}],
                "source": {"observer": self.engine()},
                "entity": [{"what": self.subject()}],
            },
        )


def coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def notes(*words: Any) -> list[Resource] | None:
    return [{"text": str(word)} for word in words if word] or None


def clean(value: Any) -> Any:
    """Without what is empty, which FHIR does not allow; numbers as they were measured."""
    if isinstance(value, Mapping):
        return {name: found for name, one in value.items() if (found := clean(one)) not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, UUID):
        return str(value)
    return value
