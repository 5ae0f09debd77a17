"""Who gets what at every URL. A URL without a row fails here by its name."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve, reverse

from education.newsletter import subscribe
from tests.architecture.answers import forbidden_in, lacking
from tests.architecture.conftest import ACTORS, BREAK_GLASS, CONTACT_MARKS, HEALTH_MARKS, LIKE, STAFF, World
from tests.architecture.urlconf import Pattern, patterns
from tests.factories import make_patient
from tests.integration.intake.visitor import told_by_headers, without_form_tokens

SIGN_IN = "sign-in"
# Methods that no page of ours has. PATCH and TRACE go the same way as these.
AT_DOOR = (SIGN_IN, "302")
UNKNOWN = ("PUT", "DELETE", "OPTIONS")
SHORTLY = ("GET", "POST")
METHODS = (*SHORTLY, "HEAD", *UNKNOWN)
READS = ("GET", "HEAD")

# Who may meet the first patient's name, and who her answers. Everybody else meets neither, anywhere.
SEES_CONTACT = ("patient", "front desk", "physio", BREAK_GLASS)
SEES_ANSWERS = ("patient", "physio", BREAK_GLASS)
# Who broke the glass reads what a physio reads here. Everywhere else, and whatever is posted, it is an owner.
READ_IN_EMERGENCY = (
    "admin:index",
    "admin:urgent",
    "admin:intake_evaluation_changelist",
    "admin:intake_evaluation_briefs",
    "admin:intake_evaluation_briefs_pdf",
    "admin:intake_evaluation_change",
    "admin:intake_patient_changelist",
    "admin:intake_patient_change",
    "admin:intake_questionnaireresponse_review",
    "admin:intake_questionnaireresponse_news",
    "admin:intake_questionnaireresponse_brief",
    "admin:intake_questionnaireresponse_brief_pdf",
    "admin:intake_questionnaireresponse_brief_text",
    "admin:intake_questionnaireresponse_outcome",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What GET and an empty POST lead to, by actor. "staff" stands for every role, "*" for everybody else.

    An outcome is a status, "sign-in", or a status and the name of the URL it leads to. args: what fills the
    URL, query: what follows it; `{name}` in them is a value of the world. path: for a pattern without a name.
    others: what other methods lead to, where that does not follow from GET.
    contact: who else may meet the first patient's name here.
    """

    get: Mapping[str, str]
    post: Mapping[str, str]
    args: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    query: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    contact: tuple[str, ...] = ()

    def expected(self, method: str, actor: str) -> str:
        actor = LIKE.get(actor, actor)
        if method in self.others:
            return self.others[method]
        if method in UNKNOWN:
            # Who is not signed in learns nothing, not even that.
            return self.get["*"] if actor not in STAFF and self.get["*"].startswith(AT_DOOR) else "405"
        wanted = self.post if method == "POST" else self.get
        if actor in wanted:
            return wanted[actor]
        if actor in STAFF and "staff" in wanted:
            return wanted["staff"]
        return wanted["*"]


def public(args: Mapping[str, str] | None = None) -> Row:
    """A page for everybody, to be read only."""
    return Row({"*": "200"}, {"*": "405"}, args or {})


def patient_page(
    get: Mapping[str, str], post: Mapping[str, str], args: Mapping[str, str] | None = None
) -> Row:
    """A page of the form: without a patient's session it says that the session is over."""
    return Row({"*": "403", **get}, {"*": "403", **post}, args or {})


def staff_page(
    get: Mapping[str, str],
    post: Mapping[str, str],
    query: str = "",
    contact: tuple[str, ...] = (),
    **args: str,
) -> Row:
    """A page of the staff site for the roles named: others of the staff get a 404, anybody else signs in."""
    rest = {"staff": "404", "*": SIGN_IN}
    return Row({**rest, **get}, {**rest, **post}, args, query=query, contact=contact)


def nobodys(path: str = "", **args: str) -> Row:
    """A page of the staff site that no role may see: no different from one that does not exist."""
    return Row({"staff": "404", "*": SIGN_IN}, {"staff": "404", "*": SIGN_IN}, args, path)


WORKLIST = "302 admin:intake_evaluation_changelist"
HOME = {"front desk": WORKLIST, "physio": WORKLIST, "staff": "200", "*": SIGN_IN}
READS_CONTENT = {"physio": "200", "editor": "200", "owner": "200"}


def newsletter(get: str, post: str, **args: str) -> Row:
    """A page of the newsletter's keepers."""
    return staff_page({"editor": get, "owner": get}, {"editor": post, "owner": post}, **args)


FRESH = ("owner", BREAK_GLASS)
ASKED_AGAIN = {"staff": "302 admin:prove", "*": SIGN_IN, **dict.fromkeys(FRESH, "200")}

ROWS: dict[str, Row] = {
    "healthz": public(),
    "security_txt": public(),
    # The library.
    "education:home": public(),
    "education:privacy": public(),
    "education:chain": public(),
    "education:part": public({"slug": "knee"}),
    "education:lessons": public(),
    "education:lesson": public({"slug": "rolling-in"}),
    "education:course": public(),
    "education:category": public({"slug": "health"}),
    "education:search": public(),
    "education:feed": public(),
    "education:sitemap": public(),
    "education:robots": public(),
    "education:picture": Row({"*": "404"}, {"*": "405"}, {"name": "nobody-made-this.webp"}),
    # Without a word from the browser on where it comes from, a sign-up is refused.
    "education:newsletter": Row({"*": "200"}, {"*": "403"}),
    "education:newsletter_check": public(),
    "education:newsletter_confirm": Row({"*": "200"}, {"*": "200"}, {"token": "{joining}"}),
    "education:newsletter_leave": Row({"*": "200"}, {"*": "200"}, {"token": "{leaving}"}),
    # The patient's way.
    "intake:open": Row({"*": "200"}, {"*": "200"}, {"token": "{token}"}),
    # Only in a browser that waits for one.
    "intake:code": Row(
        {"patient": "302 intake:tasks", "other patient": "302 intake:tasks", "*": "403"}, {"*": "403"}
    ),
    "intake:tablet": Row({"*": "200"}, {"*": "200"}),
    # Nobody started that one: the blank start, which says so.
    "intake:tablet_scanned": Row({"*": "404"}, {"*": "200"}, {"token": "nobody-started-this"}),
    "intake:open_lessons": Row({"*": "200"}, {"*": "200"}, {"token": "{shared}"}),
    # A session that an invitation opened does not open them; they stand on its status page.
    "intake:lessons": Row({"*": "403"}, {"*": "405"}),
    "intake:left": public(),
    # The patient has an earlier form that this browser did not write; the other one has none.
    "intake:earlier": Row(
        {"*": "405"}, {"patient": "303 intake:code", "other patient": "303 intake:tasks", "*": "403"}
    ),
    "intake:start": patient_page({"patient": "200", "other patient": "302 intake:status"}, {"*": "405"}),
    "intake:stop_reminders": Row({"*": "200"}, {"*": "200"}, {"token": "{stop}"}),
    "intake:calendar": patient_page({"patient": "200", "other patient": "200"}, {"*": "405"}),
    "intake:tasks": patient_page({"patient": "200", "other patient": "302 intake:sent"}, {"*": "405"}),
    "intake:page": patient_page(
        {"patient": "200", "other patient": "302 intake:sent"},
        {"patient": "200", "other patient": "302 intake:sent"},
        {"slug": "about"},
    ),
    "intake:advice": patient_page(
        {"patient": "200", "other patient": "302 intake:tasks"},
        {"patient": "303 intake:tasks", "other patient": "302 intake:tasks"},
    ),
    "intake:check": patient_page(
        {"patient": "200", "other patient": "302 intake:sent"},
        # Without the key of the form that was sent it is another tab's.
        {"patient": "200", "other patient": "409"},
    ),
    "intake:sent": patient_page({"patient": "302 intake:tasks", "other patient": "200"}, {"*": "405"}),
    "intake:status": patient_page({"patient": "302 intake:tasks", "other patient": "200"}, {"*": "405"}),
    "intake:answers": patient_page({"patient": "302 intake:tasks", "other patient": "200"}, {"*": "405"}),
    "intake:looked": patient_page({"patient": "302 intake:tasks", "other patient": "200"}, {"*": "405"}),
    "intake:answers_file": patient_page(
        {"patient": "302 intake:tasks", "other patient": "200"}, {"*": "405"}
    ),
    # A draft is open for change as it is.
    "intake:change": Row(
        {"*": "405"}, {"patient": "303 intake:tasks", "other patient": "303 intake:tasks", "*": "403"}
    ),
    "intake:keep": Row(
        {"*": "405"}, {"patient": "303 intake:tasks", "other patient": "303 intake:status", "*": "403"}
    ),
    # It counts for a patient whose form was sent, and leads on for anybody; without a lesson there is none.
    "intake:lesson": Row({"*": "405"}, {"*": "404"}),
    "intake:stay": Row({"*": "405"}, {"patient": "200", "other patient": "200", "*": "403"}),
    "intake:leave": Row(
        {"*": "405"}, {"patient": "303 intake:left", "other patient": "303 intake:left", "*": "403"}
    ),
    # For whoever has no link yet.
    "evaluation:ask": Row({"*": "200"}, {"*": "200"}),
    "evaluation:asked": public(),
    "evaluation:asked_by_phone": public(),
    # The staff site. Another role, such as one that is held for an hour, is an actor of conftest.py and a key
    # in the rows of what it may open beyond its own.
    "admin:index": Row(HOME, HOME),
    "admin:login": Row({"staff": "302 admin:index", "*": "200"}, {"staff": "302 admin:index", "*": "200"}),
    # In the middle of signing in alone.
    "admin:login_code": Row(
        {"staff": "302 admin:index", "*": SIGN_IN},
        {"staff": "302 admin:index", "*": SIGN_IN},
        others=dict.fromkeys(UNKNOWN, "405"),
    ),
    "admin:prove": Row({"staff": "200", "*": SIGN_IN}, {"staff": "200", "*": SIGN_IN}),
    "admin:account": Row({"staff": "200", "*": SIGN_IN}, {"staff": "405", "*": SIGN_IN}),
    # Whoever has a second factor gives it first; the owners here just did.
    "admin:account_app": Row(ASKED_AGAIN, ASKED_AGAIN),
    "admin:account_passkey": Row(ASKED_AGAIN, ASKED_AGAIN),
    "admin:account_recovery": Row(
        {"staff": "200", "*": SIGN_IN}, ASKED_AGAIN | dict.fromkeys(FRESH, "303 admin:account_recovery")
    ),
    # A factor of nobody here.
    "admin:account_remove": Row(
        {"staff": "405", "*": SIGN_IN}, {"staff": "404", "*": SIGN_IN}, {"pk": "999999999"}
    ),
    "admin:account_everywhere": Row({"staff": "405", "*": SIGN_IN}, {"staff": SIGN_IN, "*": SIGN_IN}),
    "admin:logout": Row({"staff": "405", "*": "302 admin:index"}, {"staff": SIGN_IN, "*": "302 admin:index"}),
    "admin:password_change": Row({"staff": "200", "*": SIGN_IN}, {"staff": "200", "*": SIGN_IN}),
    "admin:password_change_done": Row({"staff": "200", "*": SIGN_IN}, {"staff": "405", "*": SIGN_IN}),
    "admin:autocomplete": Row({"staff": "404", "*": SIGN_IN}, {"staff": "405", "*": SIGN_IN}),
    "admin:jsi18n": Row({"staff": "200", "*": SIGN_IN}, {"staff": "405", "*": SIGN_IN}),
    "admin:urgent": Row(
        {"front desk": "200", "physio": "200", "staff": "404", "*": SIGN_IN},
        {"staff": "405", "*": SIGN_IN},
    ),
    "admin:figures": staff_page({"physio": "200", "owner": "200"}, {"physio": "405", "owner": "405"}),
    # Only owners, who have just given a factor in the world of these tests.
    "admin:people": staff_page({"owner": "200"}, {"owner": "405"}),
    "admin:people_invite": staff_page({"owner": "200"}, {"owner": "200"}),
    "admin:people_again": staff_page({"owner": "405"}, {"owner": "303 admin:people"}, key="{invited}"),
    "admin:people_take_back": staff_page({"owner": "405"}, {"owner": "303 admin:people"}, key="{invited}"),
    "admin:people_person": staff_page({"owner": "200"}, {"owner": "200"}, key="{colleague}"),
    "admin:people_remove": staff_page({"owner": "200"}, {"owner": "200"}, key="{colleague}"),
    "admin:people_hand_over": staff_page({"owner": "200"}, {"owner": "200"}, key="{colleague}"),
    # In use already, and that is what the page says.
    "admin:people_reactivate": staff_page({"owner": "200"}, {"owner": "200"}, key="{colleague}"),
    "admin:people_factor": staff_page({"owner": "200"}, {"owner": "303 admin:people"}, key="{colleague}"),
    "join": Row({"*": "200"}, {"*": "200"}, {"token": "{join}"}),
    # A reason is asked for.
    "admin:emergency": staff_page({"owner": "200"}, {"owner": "200"}),
    "admin:emergency_end": staff_page({"owner": "405"}, {"owner": "303 admin:emergency"}),
    # Without the tick nothing ends.
    "admin:links": staff_page({"physio": "200", "owner": "200"}, {"physio": "400", "owner": "400"}),
    "admin:trail": staff_page({"owner": "200"}, {"owner": "200"}),
    "admin:trail_export": staff_page({"owner": "200"}, {"owner": "405"}),
    "admin:trail_week": staff_page({"owner": "200"}, {"owner": "303 admin:trail_week"}),
    "admin:privacy": staff_page({"owner": "200"}, {"owner": "200"}),
    "admin:privacy_person": staff_page(
        {"owner": "200"}, {"owner": "400"}, key="{patient}", contact=("owner",)
    ),
    "admin:app_list": staff_page(
        {"no role": "404", "staff": "200"},
        {"no role": "404", "staff": "200"},
        app_label="intake",
    ),
    "admin:intake_evaluation_changelist": staff_page(
        {"front desk": "200", "physio": "200"}, {"front desk": "200", "physio": "200"}
    ),
    "admin:intake_evaluation_briefs": staff_page({"physio": "200"}, {"physio": "405"}),
    "admin:intake_evaluation_briefs_pdf": staff_page({"physio": "200"}, {"physio": "405"}),
    "admin:intake_evaluation_add": staff_page(
        {"front desk": "200", "physio": "200"},
        {"front desk": "200", "physio": "200"},
        query="?patient={patient}",
    ),
    "admin:intake_evaluation_change": staff_page(
        {"front desk": "200", "physio": "200"},
        {"front desk": "200", "physio": "200"},
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_invite": staff_page(
        {"front desk": "405", "physio": "405"},
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_tablet": staff_page(
        {"front desk": "405", "physio": "405"},
        {"front desk": "200", "physio": "200"},
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_end_link": staff_page(
        {"front desk": "405", "physio": "405"},
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_cancel": staff_page(
        {"front desk": "200", "physio": "200"},
        # An empty form is enough: a reason need not be given.
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_rebook": staff_page(
        # It is booked, so there is nothing to book again.
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_lessons": staff_page(
        {"front desk": "405", "physio": "405"},
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluation_reminders": staff_page(
        {"front desk": "405", "physio": "405"},
        {
            "front desk": "303 admin:intake_evaluation_change",
            "physio": "303 admin:intake_evaluation_change",
        },
        object_id="{evaluation}",
    ),
    "admin:intake_evaluationrequest_changelist": staff_page(
        {"front desk": "200", "physio": "200"}, {"front desk": "405", "physio": "405"}
    ),
    "admin:intake_evaluationrequest_book": staff_page(
        {"front desk": "200", "physio": "200"},
        {"front desk": "200", "physio": "200"},
        object_id="{request}",
    ),
    "admin:intake_evaluationrequest_close": staff_page(
        {"front desk": "405", "physio": "405"},
        {
            "front desk": "303 admin:intake_evaluationrequest_changelist",
            "physio": "303 admin:intake_evaluationrequest_changelist",
        },
        object_id="{request}",
    ),
    "admin:intake_patient_changelist": staff_page(
        {"front desk": "200", "physio": "200"}, {"front desk": "200", "physio": "200"}
    ),
    "admin:intake_patient_add": staff_page(
        {"front desk": "200", "physio": "200"}, {"front desk": "200", "physio": "200"}
    ),
    "admin:intake_patient_change": staff_page(
        {"front desk": "200", "physio": "200"},
        {"front desk": "200", "physio": "200"},
        object_id="{patient}",
    ),
    "admin:intake_questionnaireresponse_review": staff_page(
        {"physio": "200"}, {"physio": "400"}, object_id="{sent}"
    ),
    "admin:intake_questionnaireresponse_news": staff_page(
        {"physio": "204"}, {"physio": "405"}, object_id="{sent}"
    ),
    "admin:intake_questionnaireresponse_brief": staff_page(
        {"physio": "200"}, {"physio": "405"}, object_id="{sent}"
    ),
    "admin:intake_questionnaireresponse_brief_pdf": staff_page(
        {"physio": "200"}, {"physio": "405"}, object_id="{sent}"
    ),
    "admin:intake_questionnaireresponse_brief_text": staff_page(
        {"physio": "200"}, {"physio": "405"}, object_id="{sent}"
    ),
    # It leaves the clinic, so a factor is asked for.
    "admin:intake_questionnaireresponse_fhir": staff_page(
        {"physio": "302 admin:prove"}, {"physio": "405"}, object_id="{sent}"
    ),
    # Its visit has not begun, so an owner has nothing to open again.
    "admin:intake_questionnaireresponse_outcome": staff_page(
        {"physio": "200"}, {"physio": "400"}, object_id="{sent}"
    ),
    "admin:intake_questionnaireresponse_lessons": staff_page(
        {"physio": "200"}, {"physio": "400"}, object_id="{sent}"
    ),
    "admin:intake_questionnaire_changelist": staff_page(READS_CONTENT, READS_CONTENT),
    "admin:intake_questionnaire_change": staff_page(
        READS_CONTENT, READS_CONTENT, object_id="{questionnaire}"
    ),
    "admin:intake_rule_changelist": staff_page(READS_CONTENT, READS_CONTENT),
    "admin:intake_rule_change": staff_page(READS_CONTENT, READS_CONTENT, object_id="{rule}"),
    "admin:education_subscriber_changelist": newsletter("200", "200"),
    "admin:education_subscriber_export": newsletter("200", "405"),
    "admin:education_subscriber_bounces": newsletter("200", "200"),
    "admin:education_issue_changelist": newsletter("200", "200"),
    "admin:education_issue_add": newsletter("200", "200"),
    "admin:education_issue_change": newsletter("200", "200", object_id="{issue}"),
    "admin:education_issue_preview": newsletter("200", "405", object_id="{issue}"),
    "admin:education_issue_test": newsletter("405", "303 admin:education_issue_preview", object_id="{issue}"),
    "admin:education_issue_send": newsletter("405", "303 admin:education_issue_preview", object_id="{issue}"),
    "staff/(?P<url>.*)$": nobodys("/staff/no/such/page/"),
}


def outcome(response: HttpResponse) -> str:
    if not 300 <= response.status_code < 400:
        return str(response.status_code)
    path = response.headers["Location"].split("?")[0]
    if path == reverse(settings.LOGIN_URL):
        return SIGN_IN
    return f"{response.status_code} {resolve(path).view_name}"


def values(world: World) -> dict[str, object]:
    """What the rows' `{names}` stand for."""
    return {
        "token": world.token,
        "stop": world.stop,
        "shared": world.shared,
        "patient": world.patient.pk,
        "evaluation": world.evaluation.pk,
        "draft": world.draft.pk,
        "sent": world.sent.pk,
        "questionnaire": world.sent.questionnaire_id,
        "rule": world.rule,
        "issue": world.issue,
        "request": world.request.pk,
        "invited": world.invited.pk,
        "join": world.join,
        "colleague": world.sent.evaluation.physio_id,
        "joining": urlsplit(subscribe.confirm_url(world.subscriber)).path.split("/")[-2],
        "leaving": urlsplit(subscribe.leave_url(world.subscriber)).path.split("/")[-2],
    }


def path_of(pattern: Pattern, row: Row, world: World) -> str:
    known = values(world)
    if row.path:
        return row.path.format(**known)
    kwargs = {name: text.format(**known) for name, text in row.args.items()}
    return reverse(pattern.key, kwargs=kwargs) + row.query.format(**known)


def visit(client: Client, method: str, path: str) -> HttpResponse:
    """One request whose effects are taken back."""
    with transaction.atomic():
        cookies = client.cookies.copy()
        response = client.generic(method, path)
        client.cookies = cookies
        transaction.set_rollback(True)
    return response


def may_not_meet(actor: str, world: World, row: Row) -> list[str]:
    hidden: list[str] = []
    actor = LIKE.get(actor, actor)
    if actor not in (*SEES_CONTACT, *row.contact):
        hidden += CONTACT_MARKS
    if actor not in SEES_ANSWERS:
        hidden += HEALTH_MARKS
    if actor not in (*READS_CONTENT, BREAK_GLASS):
        # Nor what a rule made of them; a patient never reads a rule's name.
        hidden += world.titles
    return hidden


def test_every_url_has_a_row_and_every_row_a_url():
    urls = {pattern.key for pattern in patterns()}
    assert urls - ROWS.keys() == set(), "write a row in tests/architecture/test_urls.py for these"
    assert ROWS.keys() - urls == set(), "these rows have no URL any more"


def cells(methods: Sequence[str]) -> int:
    return len(ROWS) * len(methods) * len(ACTORS)


def test_there_are_enough_cells():
    assert cells(SHORTLY) >= 1_500
    assert cells(METHODS) >= 5_000


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.key)
def test_everybody_gets_what_the_row_says_and_sees_no_more(pattern: Pattern, world: World):
    check_row(pattern, world, SHORTLY)


@pytest.mark.deep
@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.key)
def test_other_methods_get_what_follows_from_the_row(pattern: Pattern, world: World):
    check_row(pattern, world, [method for method in METHODS if method not in SHORTLY])


def check_row(pattern: Pattern, world: World, methods: Sequence[str]) -> None:
    row = ROWS[pattern.key]
    path = path_of(pattern, row, world)
    wrong: dict[str, str] = {}
    # Nothing is lent outside of the staff's pages.
    for actor in (*ACTORS, BREAK_GLASS) if path.startswith("/staff/") else ACTORS:
        for method in methods:
            response = visit(world.clients[actor], method, path)
            cell = f"{method} as {actor}"
            role = actor
            if actor == BREAK_GLASS:
                role = "physio" if method in READS and pattern.key in READ_IN_EMERGENCY else "owner"
            got, wanted = outcome(response), row.expected(method, role)
            if got != wanted:
                wrong[cell] = f"{got}, not {wanted}"
            page = b"" if response.streaming else response.content
            assert lacking(response, path) == [], f"{cell} {path}"
            if page and response.headers["Content-Type"].startswith("text/html"):
                assert forbidden_in(response.text) == [], f"{cell} {path}"
            reader = "owner" if actor == BREAK_GLASS and method not in READS else actor
            met = [mark for mark in may_not_meet(reader, world, row) if mark.encode() in page]
            assert met == [], f"{cell} {path} shows {met}"
    assert wrong == {}, path


# ------------------------------------------------------------ ids that are somebody else's

# Rows whose address names something about a patient.
ABOUT_PATIENTS = ("{patient}", "{evaluation}", "{draft}", "{sent}", "{request}")


def about_patients() -> list[Pattern]:
    def names_one(row: Row) -> bool:
        return any(name in text for name in ABOUT_PATIENTS for text in (*row.args.values(), row.query))

    return [pattern for pattern in patterns() if names_one(ROWS[pattern.key])]


@pytest.mark.parametrize("pattern", about_patients(), ids=lambda pattern: pattern.key)
def test_an_id_that_is_not_theirs_is_answered_like_one_that_nothing_has(pattern: Pattern, world: World):
    check_ids(pattern, world, ("front desk", "editor", "owner"), ("GET",))


@pytest.mark.deep
@pytest.mark.parametrize("pattern", about_patients(), ids=lambda pattern: pattern.key)
def test_so_it_is_for_everybody_who_looks_or_posts(pattern: Pattern, world: World):
    check_ids(pattern, world, ACTORS, SHORTLY)


def check_ids(pattern: Pattern, world: World, actors: Sequence[str], methods: Sequence[str]) -> None:
    """Byte for byte, and without a trace of the record; so is whatever cannot be an id at all."""
    row = ROWS[pattern.key]
    known = path_of(pattern, row, world)
    ids = [str(values(world)[name.strip("{}")]) for name in ABOUT_PATIENTS]
    (own,) = {one for one in ids if one in known}
    for actor in actors:
        for method in methods:
            cell = f"{method} as {actor}"
            unknown = visit(world.clients[actor], method, known.replace(own, str(uuid.uuid4())))
            junk = visit(world.clients[actor], method, known.replace(own, "0' OR '1'='1"))
            for response in (unknown, junk):
                assert response.status_code in (302, 400, 404, 405), cell
                met = [mark for mark in (*CONTACT_MARKS, *HEALTH_MARKS) if mark.encode() in response.content]
                assert met == [], cell
            if row.expected(method, actor) == "404":
                foreign = visit(world.clients[actor], method, known)
                assert said(foreign) == said(unknown), cell


def said(response: HttpResponse) -> tuple[int, str, str]:
    return response.status_code, without_form_tokens(response.text), told_by_headers(response)


def test_a_patient_who_turned_out_to_be_another_is_found_by_nobody(world: World):
    """Staff may see every patient of the clinic but such a one: the object that `visible_to` leaves out."""
    hidden = make_patient(given_name="Zyxhidden", replaced_by=world.patient)
    for name in ("admin:intake_patient_change", "admin:intake_evaluation_add"):
        path = reverse(name, args=[hidden.pk]) if "change" in name else f"{reverse(name)}?patient={hidden.pk}"
        for actor in STAFF:
            for method in SHORTLY:
                found = visit(world.clients[actor], method, path)
                unknown = visit(world.clients[actor], method, path.replace(str(hidden.pk), str(uuid.uuid4())))
                assert found.status_code == 404
                assert without_form_tokens(found.text) == without_form_tokens(unknown.text)
                assert "Zyxhidden" not in found.text
