"""Every distinct page of the product, one after another, as somebody sees it: for checks and pictures."""

import re
from collections.abc import Iterator, Mapping

from tests import factories
from tests.browser.conftest import Come
from tests.browser.desk import FrontDesk, Physio, Staff
from tests.browser.patient import Patient
from tests.browser.product import Product
from tests.browser.visitor import Visitor
from tests.totp import next_code

CODE = re.compile(r"^Your code: (\d{6})$", re.MULTILINE)

Shown = tuple[str, Visitor]

KNEECAP = "Right knee, around or behind the kneecap"
STEADY = "I have a wall or chair to hold, I am steady, and I want to try."
ARCH = "Right foot, under the arch"


def code_in(mail: str) -> str:
    found = CODE.search(mail)
    assert found, mail
    return found[1]


def pages_of_nobody(come: Come) -> Iterator[Shown]:
    """What anybody may come upon."""
    anyone = come(Visitor)
    yield "home", anyone.goes_to("/")
    for name, path in (("not-found", "/no-such-page/"), ("link-ended", "/intake/open/no-such-token/")):
        with anyone.refused_with(404):
            yield name, anyone.goes_to(path)
    with anyone.refused_with(403):
        yield "session-over", anyone.goes_to("/intake/")


def library_pages(come: Come) -> Iterator[Shown]:
    """A page of each kind; `test_reading` walks them all."""
    anyone = come(Visitor)
    for name, path in (
        ("lessons", "/learn/"),
        ("lesson", "/learn/rolling-in/"),
        ("lesson-with-self-check", "/learn/check-yourself-safely/"),
        ("lesson-search", "/learn/search/?q=knee"),
        ("lesson-course", "/learn/course/"),
        ("chain", "/chain/"),
        ("newsletter", "/newsletter/"),
        ("newsletter-check-your-mail", "/newsletter/check-your-mail/"),
        ("privacy", "/privacy/"),
    ):
        yield name, anyone.goes_to(path)


def pages_with_conditions_in_words(come: Come, product: Product) -> Iterator[Shown]:
    """Where scripts are off, what depends on another answer stands in the page with its condition."""
    patient = come(Patient, scripts=False)
    patient.opens_with_birth_date(product.reception("visit")["link"])
    for slug in ("about", "safety", "try", "life"):
        yield f"{slug}-without-scripts", patient.has_filled_up_to(slug)


def patient_pages(come: Come, product: Product) -> Iterator[Shown]:
    """The form from the link to the thank-you, with what goes wrong on the way."""
    visit = product.reception("visit")
    patient = come(Patient)
    yield "birth-date", patient.opens(visit["link"])
    yield "birth-date-error", patient.gives_birth_date("13", "40", "1986")
    yield "start", patient.gives_birth_date("4", "12", "1986")
    yield "tasks-none-done", patient.starts()
    yield "about", patient.goes_to("/intake/about/")
    yield "about-error", patient.continues()
    yield "safety", patient.has_filled_up_to("safety")
    yield "safety-error", patient.continues()
    patient.chooses("Did you hurt this leg in the last 2 weeks?", "Yes", side="Left leg")
    yield "safety-more-asked", patient
    yield "health", patient.has_filled_up_to("health")
    yield "where", patient.has_filled_up_to("where")
    yield "where-error", patient.continues()
    yield "where-soles", patient.marks(KNEECAP).turns_map_to("soles").marks(ARCH)
    yield "where-list", patient.presses("Use a list instead")
    yield "where-list-error", patient.continues()
    yield "pain", patient.has_filled_up_to("pain")
    yield "pain-error", patient.continues()
    for slug in ("knee", "foot", "walk", "try"):
        yield slug, patient.has_filled_up_to(slug)
    yield "try-yes", patient.chooses(STEADY, "Yes")
    yield "life", patient.has_filled_up_to("life")
    yield "tasks-some-done", patient.goes_to("/intake/")
    yield "check-some-needed", come_to_an_incomplete_check(come, product)
    yield "check", patient.has_filled_everything()
    yield "check-error", patient.sends()
    yield "sent", patient.confirms().sends()
    yield "left", patient.presses("Leave")
    stranger = come(Patient)
    begun = product.reception("visit", given="Begun")
    come(Patient).opens_with_birth_date(begun["link"]).has_filled("about")
    yield "code", stranger.opens_with_birth_date(begun["link"])
    yield "code-error", stranger.gives_code("12345")
    yield "code-again", stranger.presses("Send another code")
    stranger.presses("Send another code")
    with stranger.refused_with(429):
        yield "code-too-many", stranger.presses("Send another code")
    late: Patient = come(Patient)
    with late.refused_with(429):
        yield "code-later", late.opens_with_birth_date(begun["link"])
    begun = product.reception("visit", given="Begun", email="")
    come(Patient).opens_with_birth_date(begun["link"]).has_filled("about")
    with stranger.refused_with(403):
        yield "other-device", stranger.opens_with_birth_date(begun["link"])


def asking_pages(come: Come, product: Product) -> Iterator[Shown]:
    """Asking for an evaluation, and the form and the desk while nothing is booked."""
    anyone: Patient = come(Patient)
    yield "ask", anyone.goes_to("/evaluation/ask/?from=rolling-in")
    # As a machine does, which fills in every line.
    anyone.page.locator("[name=topic]").evaluate("line => { line.value = 'x'; }")
    with anyone.refused_with(429):
        yield "ask-refused", anyone.presses("Ask for an evaluation")
    yield "asked", anyone.goes_to("/evaluation/asked/")
    yield "asked-by-phone", anyone.goes_to("/evaluation/asked/by-phone/")
    patient: Patient = come(Patient)
    yield "asked-birth-date", patient.opens(product.reception("asks")["link"])
    yield "asked-start", patient.gives_birth_date("4", "12", "1986")
    yield "asked-tasks", patient.starts()
    yield "asked-check", patient.has_filled_everything()
    yield "asked-sent", patient.confirms().sends()
    hurt: Patient = come(Patient)
    hurt.opens_with_birth_date(product.reception("asks", given="Uma", family="Hurt")["link"])
    hurt.has_filled("about").goes_to("/intake/safety/").tampers("safety.leg-signs.left", "calf-swollen")
    hurt.continues().presses("I understand")
    swollen = {"safety.leg-signs.left": ["calf-swollen"]}
    hurt.has_filled("safety", "health", "where", "pain", safety=swollen).goes_to("/intake/check/")
    yield "asked-sent-urgent", hurt.confirms().sends()
    product.reception("visit", given="Anna", family="Silva", email="anna@patients.example")
    answers = product.reception("known_intakes")["ROLLING_IN"]
    asked = product.reception("asks", given="Rolf", family="Silva", phone="(310) 555-0171", answers=answers)
    product.reception("asks", given="Pia", family="Phone", email="", phone="(310) 555-0172", source="")
    physio: Physio = come(Physio)
    physio.signs_in(
        product.reception(
            "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
        )
    )
    yield "asked-worklist", physio.goes_to_worklist("?status=needs-appointment")
    yield "asked-review", physio.opens_row("Rolf Silva")
    yield "asked-book-physio", physio.follows("Request and invitation")
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(product.reception("staff", role="front desk", username="desk"))
    yield "asked-worklist-desk", desk.goes_to_worklist("?status=needs-appointment")
    yield "asked-list", desk.goes_to("/staff/intake/evaluationrequest/")
    book = f"/staff/intake/evaluationrequest/{asked['request']}/book/"
    yield "asked-book", desk.goes_to(book)
    yield "asked-book-error", desk.presses("Book the evaluation")
    yield "asked-patients", desk.goes_to("/staff/intake/patient/?q=silva")
    yield "asked-patient", desk.follows("Silva, Rolf")


def come_to_an_incomplete_check(come: Come, product: Product) -> Patient:
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(product.reception("visit")["link"]).has_filled("about", "safety")
    return patient.goes_to("/intake/check/")


def urgent_pages(come: Come, product: Product) -> Iterator[Shown]:
    """A same-day answer and an emergency, then the thank-you that repeats the advice."""
    for name, safety in (
        ("advice-same-day", {"safety.leg-signs.left": ["calf-swollen"]}),
        (
            "advice-emergency",
            {"safety.body-signs": ["chest-breath"], "safety.leg-signs.left": ["calf-swollen"]},
        ),
    ):
        patient: Patient = come(Patient)
        patient.opens_with_birth_date(product.reception("visit", given="Urgent")["link"])
        patient.has_filled("about").goes_to("/intake/safety/")
        patient.tampers("safety.leg-signs.left", "calf-swollen")
        if "safety.body-signs" in safety:
            patient.tampers("safety.body-signs", "chest-breath")
        yield name, patient.continues()
    patient.presses("I understand").has_filled("safety", safety=safety)
    patient.has_filled("health", "where", "pain").goes_to("/intake/check/")
    yield "sent-urgent", patient.confirms().sends()


def changed_pages(come: Come, product: Product) -> Iterator[Shown]:
    """After sending: the page of the visit, a change, and what the physio sees of it."""
    visit = product.reception("visit", given="Robin", family="Changes")
    account = product.reception(
        "staff", role="physio", username="ortiz", first_name="Maya", last_name="Ortiz", title="Dr."
    )
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"]).has_filled_everything().confirms().sends()
    yield "status", patient.goes_to("/intake/status/")
    physio: Physio = come(Physio)
    physio.signs_in(account).goes_to_worklist("?q=Changes&day=coming").opens_row("Robin Changes")
    earlier = physio.page.url
    for title in physio.open_findings():
        physio.confirms(title, note="Seen on video")
    physio.finishes()
    yield "status-read", patient.reloads()
    yield "change", patient.presses("Something changed")
    yield "status-changing", patient.goes_to("/intake/status/")
    yield "review-changing", physio.goes_to(earlier)
    patient.goes_to("/intake/check/").confirms()
    yield "change-nothing-error", patient.sends()
    patient.has_filled("walk", walk={"gait.foot-roll.right": ["middle"]})
    patient.has_filled("where", where={"pain.regions.right": ["knee-front", "knee-outer", "sole-arch"]})
    yield "change-check", patient.goes_to("/intake/check/")
    patient.confirms().sends()
    yield "status-changed", patient.goes_to("/intake/status/")
    yield "review-earlier", physio.goes_to(earlier)
    yield "review-changed", physio.follows("Open the newest version", within=physio.main.locator("#changes"))


# What a patient said months ago.
SAID: Mapping[str, list[object]] = {
    "why.main-problem": ["knee"],
    "pain.regions.right": ["knee-front"],
    "gait.foot-roll.left": ["middle"],
    "gait.foot-roll.right": ["inward"],
    "gait.changed": ["no-change"],
    "foot.arch.right": ["drops"],
    "shoes.usual": ["running", "work-boots"],
    "activity.usual": ["run", "stand-job"],
    "goal.one.activity": ["Run 5 km"],
    "goal.one.score": [4],
}


def again_pages(come: Come, product: Product) -> Iterator[Shown]:
    """A second visit: earlier answers behind a code, to confirm or to change; then the own ones, to keep."""
    address = "second.visit@patients.example"
    visit = product.reception("again", answers=SAID, email=address, given="Robin", family="Again")
    patient: Patient = come(Patient)
    patient.opens_with_birth_date(visit["link"])
    yield "again-tasks-closed", patient.goes_to("/intake/")
    patient.presses("E-mail me a code")
    [mail] = product.mail.wait_for(address)
    yield "again-tasks", patient.gives_code(code_in(mail))
    yield "again-page", patient.opens_part("How you stand and walk")
    yield "again-change", patient.follows("Change these answers")
    patient.has_filled_everything().confirms().sends()
    yield "again-status", patient.goes_to("/intake/status/")
    yield "again-answers", patient.follows("View my answers")


def staff_pages(come: Come, product: Product) -> Iterator[Shown]:
    day: Mapping[str, str] = product.reception("demo_day")
    account = {name: day[name] for name in ("username", "password", "totp")}
    physio: Physio = come(Physio)
    yield "sign-in", physio.goes_to("/staff/")
    yield "sign-in-error", physio.signs_in({**account, "password": "wrong"})
    yield "worklist", physio.signs_in(account)
    yield "worklist-to-review", physio.goes_to_worklist("?status=to-review")
    yield "worklist-empty", physio.goes_to_worklist("?day=2031-01-01")
    yield "worklist-nobody-found", physio.goes_to_worklist("?q=Nobodyhasthisname")
    review = "/staff/intake/questionnaireresponse/{}/review/"
    yield "review", physio.goes_to(review.format(day["Priya Raman"]))
    first = physio.open_findings()[0]
    yield "review-dismiss-error", physio.dismisses(first)
    yield "review-decided", physio.confirms(first, note="Leans on the right leg in the waiting room too")
    yield "review-finish-error", physio.finishes()
    yield "review-red-flag", physio.goes_to(review.format(day["Sam Okafor"]))
    yield "review-call-error", physio.records_call(outcome="Spoke to the patient")
    yield "review-nothing-found", physio.goes_to(review.format(day["calm"]))
    brief = "/staff/intake/questionnaireresponse/{}/brief/"
    yield "brief", physio.goes_to(brief.format(day["Jordan Lee"]))
    yield "brief-text", physio.goes_to(brief.format(day["Sam Okafor"]) + "text/")
    yield "briefs-of-the-day", physio.goes_to("/staff/intake/evaluation/briefs/?mine=1&paper=a4")
    yield "briefs-of-no-day", physio.goes_to("/staff/intake/evaluation/briefs/?day=coming")
    over = product.reception(
        "visit",
        given="Robin",
        family="Over",
        minutes_ahead=-60,
        answers=product.reception("known_intakes")["SPARING"],
    )
    yield "outcome", physio.goes_to(f"/staff/intake/questionnaireresponse/{over['response']}/outcome/")
    (title,) = physio.findings_to_fill_in()
    physio.measures("Foot Posture Index, total", left="13").says(title, "Not tested")
    yield "outcome-typed-error", physio.closes_evaluation()
    yield (
        "outcome-close-error",
        physio.measures("Foot Posture Index, total", left="8")
        .says(title, "Not tested", reason="No time at this visit")
        .closes_evaluation(),
    )
    yield "outcome-reopen-error", physio.presses("Open again")
    lessons = f"/staff/intake/questionnaireresponse/{over['response']}/lessons/"
    yield "lessons-to-share", physio.goes_to(lessons)
    yield "lessons-to-share-error", physio.presses("Send")
    physio.touches(physio.main.get_by_role("checkbox").first)
    yield "lessons-shared", physio.presses("Send")
    yield "worklist-to-close", physio.goes_to_worklist("?status=to-close")
    yield "rules", physio.goes_to("/staff/intake/rule/")
    yield "rule", physio.uses(physio.main.get_by_role("rowheader").get_by_role("link").first)
    yield "questionnaires", physio.goes_to("/staff/intake/questionnaire/")
    yield "questionnaire", physio.uses(physio.main.get_by_role("rowheader").get_by_role("link").first)
    desk: FrontDesk = come(FrontDesk)
    desk.signs_in(
        product.reception("staff", role="front desk", username="desk", first_name="Robin", last_name="Hale")
    )
    yield "desk-worklist", desk
    yield "patients", desk.goes_to("/staff/intake/patient/")
    yield "patient-add", desk.goes_to("/staff/intake/patient/add/")
    yield "patient-add-error", desk.presses("Add")
    yield "patient", desk.goes_to("/staff/intake/patient/?q=Raman").follows("Raman, Priya")
    yield "evaluation-add", desk.follows("Add an evaluation", within=desk.main)
    yield "evaluation-add-error", desk.presses("Add")
    yield "evaluation", desk.goes_to(f"/staff/intake/evaluation/{day['Noah Fields']}/change/")
    yield "evaluation-cancel", desk.follows("Cancel the visit", within=desk.main)
    yield "evaluation-cancelled", desk.presses("Cancel the visit")
    yield "evaluation-rebook", desk.follows("Book it again", within=desk.main)
    yield "evaluation-rebook-error", desk.presses("Book it again")
    owner: Staff = come(Staff)
    owner.signs_in(
        product.reception("staff", role="owner", username="owner", first_name="Dana", last_name="Whitlock")
    )
    yield "staff-home", owner
    yield "figures", owner.goes_to("/staff/figures/")
    yield "figures-refused", owner.goes_to("/staff/figures/?weeks=3")
    with owner.refused_with(404):
        yield "staff-not-found", owner.goes_to(review.format(day["calm"]))


def account_pages(come: Come, product: Product) -> Iterator[Shown]:
    """The staff's door, and one's own account behind it."""
    account = product.reception("staff", role="front desk", username="account-pages")
    desk = come(FrontDesk).goes_to("/staff/")
    yield "sign-in", desk
    desk.types(desk.page.get_by_label("Username"), account["username"])
    desk.types(desk.page.get_by_label("Password"), "not this one")
    yield "sign-in-error", desk.presses("Log in")
    desk.types(desk.page.get_by_label("Password"), account["password"])
    yield "second-step", desk.presses("Log in")
    yield "second-step-error", desk.gives_code("000000")
    desk.gives_code(next_code(account["totp"]))
    yield "account", desk.goes_to("/staff/account/")
    yield "account-app", desk.goes_to("/staff/account/app/")
    yield "account-passkey", desk.goes_to("/staff/account/passkey/")
    yield "account-recovery", desk.goes_to("/staff/account/recovery/")
    yield "account-codes", desk.presses("Make fresh codes")
    yield "account-password", desk.goes_to("/staff/password_change/")
    yield "prove", desk.goes_to("/staff/prove/")
    yield "prove-error", desk.gives_code("000000")
    for _ in range(2):
        desk.gives_code("000000")
    with desk.refused_with(429):
        yield "prove-rests", desk.gives_code("000000")
    newcomer = product.reception("newcomer", role="physio", username="account-newcomer")
    yield "first-factor", come(Physio).signs_in(newcomer)


def owner_pages(come: Come, product: Product) -> Iterator[Shown]:
    """Who works here, and breaking the glass; the page behind an invitation as well."""
    visit = product.reception(
        "visit", given="Zyxgallery", minutes_ahead=60 * 90, answers={**factories.ROLLING_IN}
    )
    owner: Staff = come(Staff)
    owner.signs_in(
        product.reception("staff", role="owner", username="owner", first_name="Dana", last_name="Whitlock")
    )
    product.reception("proves", username="owner")
    people = owner.goes_to("/staff/people/")
    yield "people-invite", people.follows("Invite somebody", within=owner.main)
    yield "people-invite-error", owner.presses("Invite", within=owner.main)
    owner.types(owner.page.get_by_label("E-mail"), "gallery@clinic.example")
    owner.picks(owner.page.get_by_label("Role"), "Physio")
    yield "people", owner.presses("Invite", within=owner.main)
    [mail] = product.mail.wait_for("gallery@clinic.example")
    [link] = re.findall(r"/staff/join/[\w-]+/", mail.replace("=\n", ""))
    asked: Staff = come(Staff)
    yield "join", asked.goes_to(link)
    yield "join-error", asked.presses("Make the account")
    owner.follows("Maya Ortiz", within=owner.main)
    yield "person", owner
    page = owner.page.url
    yield "person-remove", owner.follows("Remove from the clinic", within=owner.main)
    owner.goes_to(page)
    yield "person-hand-over", owner.follows("Hand over reviews and visits", within=owner.main)
    yield "person-hand-over-error", owner.presses("Hand over", within=owner.main)
    owner.goes_to(page)
    yield "person-factor", owner.follows("Reset the second factor", within=owner.main)
    owner.goes_to("/staff/people/").presses("Take it back", within=owner.main)
    with asked.refused_with(404):
        yield "join-over", asked.goes_to(link)
    yield "emergency", owner.goes_to("/staff/emergency/")
    yield "emergency-error", owner.presses("Open for one hour", within=owner.main)
    owner.types(owner.page.get_by_label("Why do you need it?"), "Both physios are ill today")
    yield "emergency-worklist", owner.presses("Open for one hour", within=owner.main)
    review = f"/staff/intake/questionnaireresponse/{visit['response']}/review/"
    yield "emergency-review", owner.goes_to(review)
    yield "emergency-open", owner.goes_to("/staff/emergency/")
    yield "emergency-ended", owner.presses("End it now")
