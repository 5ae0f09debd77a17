"""A patient's record on paper: as many pages as it takes, black on white, in the look of the brief."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from intake.export.record import Record
from intake.patients.wording import dated
from intake.responses import draft
from intake.responses.answers import prune, read_answers
from intake.responses.models import QuestionnaireResponse
from intake.responses.summary import said
from intake.review.measures import MEASURES
from intake.review.paper import (
    BOLD,
    MARGIN,
    PAPERS,
    PLAIN,
    SIZE,
    Piece,
    beside,
    heading,
    prose,
    register_fonts,
    ruled,
    stack,
)
from intake.review.places import SIDES
from intake.screening.models import Finding, Rule

_LABELS: Final = 150.0
_FOOT: Final = 22.0


def pdf_of_record(record: Record, *, clinic: str, paper: str = "letter") -> bytes:
    """The document. paper: a key of `PAPERS`."""
    from reportlab.pdfgen.canvas import Canvas

    register_fonts()
    width, height = PAPERS[paper]
    out = BytesIO()
    canvas = Canvas(out, pagesize=PAPERS[paper], pageCompression=1, lang=get_language() or "en")
    # A title stands in lists of files and in windows, so it names nobody.
    canvas.setTitle(record.patient.reference)
    canvas.setAuthor(clinic)
    foot = _("%(clinic)s. Confidential health information. Reference %(reference)s.") % {
        "clinic": clinic,
        "reference": record.patient.reference,
    }
    top, page = height - MARGIN, 1
    for piece in _pieces(record, width - 2 * MARGIN):
        if top - piece.height < MARGIN + _FOOT and top < height - MARGIN:
            _end_page(canvas, foot, page, width)
            top, page = height - MARGIN, page + 1
        piece.draw(canvas, MARGIN, top)
        top -= piece.height
    _end_page(canvas, foot, page, width)
    canvas.save()
    return out.getvalue()


def _end_page(canvas: Any, foot: str, number: int, width: float) -> None:
    size = 7.5
    right = _("Page %(number)s") % {"number": number}
    inner = width - 2 * MARGIN
    pieces = [
        (0.0, prose([(foot, PLAIN)], inner * 0.8, size, grey=True)),
        (inner * 0.9, prose([(right, PLAIN)], inner * 0.1, size, grey=True)),
    ]
    beside(pieces).draw(canvas, MARGIN, MARGIN + 10)
    canvas.showPage()


def _pieces(record: Record, width: float) -> Iterator[Piece]:
    yield prose([(_("All that is kept about %(name)s") % {"name": record.patient}, BOLD)], width, SIZE * 1.6)
    yield prose([(_("Made on %(when)s") % {"when": _moment(record.at)}, PLAIN)], width, SIZE, after=6)
    yield from _block(_("Person"), _person(record), width)
    yield from _block(_("Visits"), _visits(record), width)
    for response in record.responses:
        yield from _block(_title(response), _intake(record, response), width)
        yield from _block(_("What the clinic made of it"), _made_of_it(record, response), width)
    yield from _block(_("Red flags and calls"), _red_flags(record), width)
    yield from _block(_("Links and mail"), _links(record), width)
    yield from _block(_("Erased before"), _erased(record), width)
    yield from _block(
        _("Who looked at it, and when"),
        _looks(record),
        width,
    )
    yield from _block(_("From where the links were opened"), _devices(record), width)


def _block(title: str, rows: Iterable[tuple[Any, Any]], width: float) -> Iterator[Piece]:
    """A heading, which never stands alone at the end of a page, and a line for each row; nothing without."""
    pieces = [_row(str(name), str(words), width) for name, words in rows]
    if not pieces:
        return
    space = Piece(8, lambda canvas, x, top: None)
    yield stack([space, heading(title, width, SIZE), pieces[0]])
    yield from pieces[1:]


def _row(name: str, words: str, width: float) -> Piece:
    return ruled(
        beside(
            [
                (0.0, prose([(name, BOLD)], _LABELS - 8, SIZE)),
                (_LABELS, prose([(words, PLAIN)], width - _LABELS, SIZE)),
            ]
        ),
        width,
    )


def _moment(at: datetime | None) -> str:
    return dated(at) if at else ""


def _person(record: Record) -> Iterator[tuple[Any, Any]]:
    for person in record.people:
        if person.replaced_by_id is not None:
            yield (
                _("Also entered as"),
                _("%(name)s, on %(when)s")
                % {
                    "name": person,
                    "when": _moment(person.created_at),
                },
            )
        yield _("Name"), person
        yield _("Date of birth"), date_format(person.birth_date, "m/d/Y")
        yield _("E-mail"), person.email or "-"
        yield _("Phone"), person.phone or "-"
        yield _("Reference"), person.reference


def _visits(record: Record) -> Iterator[tuple[Any, Any]]:
    for evaluation in record.evaluations:
        when = _moment(evaluation.starts_at) or _("Asked for on %(when)s") % {
            "when": _moment(evaluation.created_at)
        }
        words = [evaluation.get_status_display()]
        if evaluation.physio is not None:
            words.append(str(evaluation.physio))
        yield when, ", ".join(map(str, words))
        for event in record.of(record.bookings, "evaluation", evaluation.pk):
            what = _("%(what)s on %(when)s") % {"what": event.get_kind_display(), "when": _moment(event.at)}
            yield "", f"{what}: {event.reason}" if event.reason else what
    for asked in record.requests:
        words = [str(asked), date_format(asked.birth_date, "m/d/Y"), asked.guardian_name, asked.email]
        words += [asked.phone, asked.preferred_times, record.titles.lessons.get(asked.source, asked.source)]
        yield _("Asked on %(when)s") % {"when": _moment(asked.asked_at)}, ", ".join(filter(None, words))


def _title(response: QuestionnaireResponse) -> str:
    questionnaire = response.questionnaire
    return f"{questionnaire.title} {questionnaire.version}: {response.get_status_display()}"


def _intake(record: Record, response: QuestionnaireResponse) -> Iterator[tuple[Any, Any]]:
    yield _("Begun"), _moment(response.started_at)
    if response.authored is not None:
        yield _("Sent"), f"{_moment(response.authored)}, {response.reference}"
    if response.replaced_at is not None:
        yield _("Replaced by a later version"), _moment(response.replaced_at)
    if response.privacy_version is not None:
        yield _("Privacy notice seen"), _("version %(number)s") % {"number": response.privacy_version}
    definition = response.questionnaire.tree()
    answers = prune(definition, read_answers(response.answers))
    for section in said(definition, answers, draft.path_of(definition, answers, frozenset())):
        for line in section.lines:
            question = f"{line.question} ({line.side})" if line.side else line.question
            yield question, "; ".join(line.answers)


def _made_of_it(record: Record, response: QuestionnaireResponse) -> Iterator[tuple[Any, Any]]:
    for review in record.of(record.reviews, "response", response.pk):
        staff = record.staff
        yield _("Review begun"), f"{_moment(review.started_at)}, {staff.get(review.started_by_id, '')}"
        if review.finished_at is not None:
            finished = staff.get(review.finished_by_id or 0, "")
            yield _("Review finished"), f"{_moment(review.finished_at)}, {finished}"
    for finding in record.of(record.findings, "response", response.pk):
        kind = _("Worth a look") if finding.rule.kind == Rule.Kind.CHAIN else _("Note on the answers")
        yield kind, _with_sides(finding)
        for one in record.of(record.verdicts, "finding", finding.pk):
            words = [one.get_decision_display(), one.get_reason_display() if one.reason else "", one.note]
            yield _moment(one.at), _by(record, one, words)
        for one in record.of(record.outcomes, "finding", finding.pk):
            words = [one.get_result_display(), one.get_reason_display() if one.reason else "", one.note]
            yield _moment(one.at), _by(record, one, words)
    for run in record.of(record.runs, "response", response.pk):
        if run.precautions:
            titles = record.titles.precautions
            yield _("Precautions"), ", ".join(titles.get(one, one) for one in run.precautions)
    for one in record.of(record.measurements, "response", response.pk):
        measure = MEASURES[one.kind]
        value = _("taken back") if one.value is None else f"{one.value.normalize():f} {measure.unit}"
        yield f"{measure.label} ({one.get_side_display()})", _by(record, one, [value])
    for one in record.of(record.missed, "response", response.pk):
        ends = " - ".join(
            f"{SIDES.get(side, '')} {record.titles.places.get(place, place)}".strip()
            for side, place in ((one.starts_side, one.starts_at), (one.shows_side, one.shows_at))
        )
        taken = _("taken back") if one.takes_back_id else ""
        yield _("Link the rules missed"), _by(record, one, [ends, one.words, taken])
    for one in record.of(record.closings, "response", response.pk):
        yield one.get_act_display(), _by(record, one, [one.reason])


def _with_sides(finding: Finding) -> str:
    """The finding's title with the side it is on; with both ends where they differ."""
    source, target = finding.source_side, finding.target_side
    if source and target and source != target:
        words = _("%(source)s to %(target)s") % {"source": SIDES[source], "target": SIDES[target]}
    else:
        words = str(SIDES.get(source or target or "", ""))
    return f"{finding.rule.title} ({words})" if words else str(finding.rule.title)


def _by(record: Record, one: Any, words: Iterable[Any]) -> str:
    said_by = f"{record.staff.get(one.by_id, '')}, {_moment(one.at)}"
    return ". ".join([*filter(None, map(str, words)), said_by])


def _red_flags(record: Record) -> Iterator[tuple[Any, Any]]:
    for flag in record.flags:
        yield (
            _moment(flag.raised_at),
            f"{flag.get_tier_display()}: {flag.rule.title}. {flag.get_state_display()}",
        )
        for event in record.of(record.flag_events, "flag", flag.pk):
            yield "", f"{event.get_kind_display()}, {_moment(event.at)}"
    for contact in record.contacts:
        words = [contact.called, contact.get_outcome_display(), contact.next_step]
        yield _("Call, %(when)s") % {"when": _moment(contact.called_at)}, _by(record, contact, words)


def _links(record: Record) -> Iterator[tuple[Any, Any]]:
    for link in record.invitations:
        yield _("Link to the form"), _life(link.created_at, link, record.at)
    for share in record.shares:
        lessons = [record.titles.lessons.get(slug, slug) for slug in share.lessons]
        yield _("Lessons shared"), f"{', '.join(lessons)}. {_life(share.at, share, record.at)}"
    for reminder in record.reminders:
        yield (
            _("Reminder, %(kind)s") % {"kind": reminder.get_kind_display()},
            f"{reminder.get_state_display()}, {_moment(reminder.settled_at or reminder.queued_at)}",
        )


def _life(made: datetime, link: Any, now: datetime) -> str:
    words = [_("made %(when)s") % {"when": _moment(made)}]
    if link.sent_at:
        words.append(_("sent %(when)s") % {"when": _moment(link.sent_at)})
    if link.opened_at:
        words.append(_("first opened %(when)s") % {"when": _moment(link.opened_at)})
    end = link.revoked_at or link.ended_at or link.expires_at
    words.append((_("ends %(when)s") if end > now else _("ended %(when)s")) % {"when": _moment(end)})
    return ", ".join(words)


def _erased(record: Record) -> Iterator[tuple[Any, Any]]:
    for stone in record.erasures:
        until = _("The record stays at least until %(when)s") % {"when": _moment(stone.kept_until)}
        yield _moment(stone.at), f"{stone.get_reason_display()}. {until if stone.kept_until else ''}"


def _looks(record: Record) -> Iterator[tuple[Any, Any]]:
    if not record.told:
        yield "", _("Nobody of the clinic has looked yet.")
    for look in sorted(record.told, key=lambda look: look.at):
        who = f"{look.who}, {look.role}" if look.role else look.who
        words = f"{who}: {look.what}"
        if look.number > 1:
            times = ngettext("%(number)s time that day", "%(number)s times that day", look.number)
            words = f"{words}. {times % {'number': look.number}}"
        yield _moment(look.at), words


def _devices(record: Record) -> Iterator[tuple[Any, Any]]:
    for event in record.events:
        yield _moment(event.at), ", ".join(filter(None, [event.get_kind_display(), event.address or ""]))
    for session in record.sessions:
        until = {"when": _moment(session.ended_at or session.last_seen_at)}
        if session.share_id is not None:
            words = [_("Shared lessons were open until %(when)s") % until]
        else:
            words = [_("The form was open until %(when)s") % until]
        if session.on_tablet:
            words.append(_("on the clinic’s tablet"))
        yield _moment(session.started_at), ", ".join(words)
