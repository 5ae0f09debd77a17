"""A patient whose every word stands nowhere else, in the running product, with all kinds of trouble.

She asks for an evaluation, fills in the form on three devices, changes it, comes, and gets lessons; the
clinic books, calls, reviews, closes. Meanwhile views and jobs fail with her rows in the error, the database
dies and no mail goes out. Then all that was left behind is searched: logs, tables, mails, addresses, titles,
cookies (requirements R26 and R39).
"""

import contextlib
import re
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.apps import apps
from django.core.signing import b64_decode

from clinic.database import BASE_DIR
from intake.audit import PatientData
from intake.questionnaires.pages import enabled, pages
from tests.browser.product import wait_for
from tests.drills.machine import Machine
from tests.drills.plain import PlainBrowser, Wire
from tests.drills.test_desk import signed_in
from tests.integration.intake.visitor import filled_in, text_of
from tests.unit.intake import shipped

pytestmark = [pytest.mark.drill, pytest.mark.deep]

# Every word of hers begins so; no word of ours does.
MARK: Final = "zyxq"
BORN: Final = ("11", "29", "1931")
DATES: Final = ("1931-11-29", "11/29/1931", "Nov. 29, 1931", "November 29, 1931")
PHONE: Final = "(310) 555-0163"
MAIL: Final = f"{MARK}mailbox@patients.example"
WORDS: Final = {
    name: f"{MARK}{name}"
    for name in (
        *("given", "family", "times", "story", "activity", "goalone", "goaltwo", "goalthree", "changed"),
        *("called", "nextstep", "verdict", "link", "outcome", "reason", "second", "cancelled", "wrong"),
    )
}
# The cookie of what staff look for.
SOUGHT: Final = "sought"
# Codes of her answers: they stand in questions and rules, and in no log, job, mail or address.
CODES: Final = ("calf-swollen", "long-trip", "knee-front")
CLINIC: Final = ZoneInfo("America/Los_Angeles")
ANSWERS: Final[dict[str, list[Any]]] = {
    "why.story": [WORDS["story"]],
    "activity.usual": ["other"],
    "activity.other": [WORDS["activity"]],
    "pain.regions.left": ["none"],
    "pain.regions.right": ["knee-front"],
    "gait.foot-roll.right": ["inward"],
    "foot.ankle-lean.right": ["in"],
    "foot.arch.right": ["drops"],
    "goal.one.activity": [WORDS["goalone"]],
    "goal.one.score": [4],
    "goal.two.activity": [WORDS["goaltwo"]],
    "goal.three.activity": [WORDS["goalthree"]],
    "safety.leg-signs.left": ["calf-swollen"],
    "safety.clot-risks": ["long-trip"],
}


class Walk:
    """One run through everything."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.product = machine.product
        self.wire = Wire()
        self.cookies: list[str] = []
        self.browsers: list[PlainBrowser] = []
        self.signed_out: list[PlainBrowser] = []
        self.owner = psycopg.connect(machine.urls.owner, autocommit=True)

    # Who is there

    def stranger(self) -> PlainBrowser:
        self.browsers.append(PlainBrowser(self.machine.port, self.wire))
        return self.browsers[-1]

    def end(self) -> None:
        self.owner.close()
        for browser in self.browsers:
            browser.hang_up()

    def staff(self, role: str, username: str) -> PlainBrowser:
        reception = self.product.reception
        reception("staff", role=role, username=username, first_name="Maya", last_name="Ortiz")
        browser = self.stranger()
        browser.cookies = self.signs_in(role, username)
        return browser

    def signs_in(self, role: str, username: str) -> dict[str, str]:
        return signed_in(self.product, username, role).cookies

    # What happens to the machine

    @contextlib.contextmanager
    def failing(self, table: str, errcode: str, event: str = "INSERT OR UPDATE") -> Iterator[None]:
        """Whatever is written to the table fails, with the row in every part of the error."""
        self.owner.execute(
            "CREATE FUNCTION zz_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING"
            f" MESSAGE = NEW::text, DETAIL = NEW::text, HINT = NEW::text, ERRCODE = '{errcode}'; END $$"
        )
        self.owner.execute(
            f"CREATE TRIGGER zz_fail BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION zz_fail()"
        )
        try:
            yield
        finally:
            self.owner.execute("DROP FUNCTION zz_fail() CASCADE")

    @contextlib.contextmanager
    def refusing(self, table: str) -> Iterator[None]:
        """A constraint that no new row meets: Postgres itself puts the row into the error."""
        self.owner.execute(f"ALTER TABLE {table} ADD CONSTRAINT zz_never CHECK (false) NOT VALID")
        try:
            yield
        finally:
            self.owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT zz_never")

    @contextlib.contextmanager
    def no_mail(self) -> Iterator[None]:
        """Mails cannot be written: where their folder should be there is a file."""
        folder = self.product.mail.folder
        aside = folder.with_name("aside")
        if folder.exists():
            folder.rename(aside)
        folder.write_text("")
        try:
            yield
        finally:
            folder.unlink()
            if aside.exists():
                aside.rename(folder)

    def database_dies(self, browser: PlainBrowser) -> None:
        """In the middle of a save, which is told to come again, and does."""
        self.owner.close()
        self.machine.postgres_dies_whole()
        browser.hang_up()
        assert browser.sends_main({"why.story": WORDS["story"]}).status == 503
        assert WORDS["story"] in browser.page.text
        self.machine.cluster.up()
        self.until(self.product.is_healthy, "the database")
        self.owner = psycopg.connect(self.machine.urls.owner, autocommit=True)

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """What `look` gives, while a worker that ended with the database is started again."""

        def tended() -> Any:
            self.product.worker.tend()
            return look()

        return wait_for(tended, what)

    # What she does

    def asks(self) -> None:
        ask = self.stranger().opens("/evaluation/ask/?from=rolling-in")
        person = {
            "given_name": WORDS["given"],
            "family_name": WORDS["family"],
            "email": MAIL,
            "phone": PHONE,
            "preferred_times": WORDS["times"],
            **dict(zip(("month", "day", "year"), BORN, strict=True)),
        }
        assert ask.sends({**person, "phone": WORDS["wrong"]}).status == 200
        time.sleep(3.2)
        assert WORDS["family"] in ask.page.text
        with self.refusing("intake_patient"):
            assert ask.sends(person).status == 500
        ask.opens("/evaluation/ask/?from=rolling-in")
        time.sleep(3.2)
        with self.no_mail(), self.failing("intake_invitation", "23505", "UPDATE"):
            assert ask.sends(person).status == 200
            self.attempts("send_invitation", 1)
        assert "asked" in ask.path

    def attempts(self, task: str, at_least: int) -> None:
        """Until the worker tried it so often."""

        def tried() -> bool:
            query = "SELECT max(attempts) FROM procrastinate_jobs WHERE task_name = %s"
            return (self.owner.execute(query, [task]).fetchone() or [0])[0] >= at_least

        self.until(tried, f"{task} to be tried")

    def links(self, kind: str) -> list[str]:
        """The addresses of links of a kind in her mails, oldest first."""
        mails = "\n".join(self.product.mail.to(MAIL))
        return re.findall(rf"http://[^/\s]+(/intake/{kind}/[^/\s]+/)", mails)

    def link(self, kind: str) -> str:
        found: list[str] = self.until(lambda: self.links(kind), f"a link to {kind}")
        return found[-1]

    def opens_form(self, path: str) -> PlainBrowser:
        browser = self.stranger().opens(path)
        day = dict(zip(("month", "day", "year"), BORN, strict=True))
        browser.sends({**day, "day": "28"})
        browser.sends({**day, "day": WORDS["wrong"]})
        return browser.sends(day)

    def fills_in(self, browser: PlainBrowser) -> None:
        definition = shipped.definition()
        answers = filled_in(definition, ANSWERS)
        on = enabled(definition, answers)
        for page in pages(definition):
            asked = [item.link_id for item in page.item.walk() if item.is_question]
            if page.link_id not in on or not asked:
                continue
            here = {
                link_id: [text_of(value) for value in values]
                for link_id, values in answers.items()
                if link_id in asked
            }
            browser.opens(f"/intake/{page.slug}/")
            if browser.path != f"/intake/{page.slug}/" or browser.status != 200:
                # Self-tests are not asked beside an urgent answer.
                continue
            if page.slug == "about":
                self.troubles(browser)
                browser.opens("/intake/about/")
            browser.sends_main(here)
            if ("answer", "understood") in [button for form in browser.page.forms for button in form.buttons]:
                browser.sends(button=("answer", "understood"))
            assert browser.status == 200, page.slug

    def troubles(self, browser: PlainBrowser) -> None:
        """Whatever can go wrong with a page of hers."""
        story = {"why.story": WORDS["story"]}
        table = "intake_questionnaireresponse"
        for errcode in ("22001", "23505", "P0001", "42703"):
            with self.failing(table, errcode):
                browser.opens("/intake/about/")
                assert browser.sends_main(story).status == 500, errcode
        browser.opens("/intake/about/")
        with self.failing(table, "XX000"):
            assert browser.sends_main(story).status == 503
        browser.opens("/intake/about/")
        with self.refusing(table):
            assert browser.sends_main(story, more={"X-Autosave": "1"}).status == 500
        browser.opens("/intake/about/")
        assert browser.sends_main({"why.story": WORDS["story"] * 90}).status == 200
        browser.opens("/intake/about/")
        assert browser.sends_main({"why.story": WORDS["story"] + "\0"}).status == 200
        browser.opens("/intake/about/")
        self.database_dies(browser)
        browser.asks("POST", "/intake/about/", f"why.story={WORDS['story']}&csrfmiddlewaretoken=x")
        browser.asks("POST", f"/intake/{MARK}-none/", "x=1")
        browser.asks("POST", "/intake/about/", WORDS["story"], {"Content-Length": "300000"})
        browser.hang_up()
        browser.asks("PUT", "/intake/about/", WORDS["story"])
        browser.asks("POST", "/intake/about/", WORDS["story"], {"Host": "evil.example"})
        raw(self.machine.port, f"GE\x01T {WORDS['story']} HTTP/9\r\n\r\n")
        raw(self.machine.port, f"POST /intake/about/ HTTP/1.1\r\nHost: x\r\nX: {WORDS['story']}\x00\r\n\r\n")

    def sends_form(self, browser: PlainBrowser) -> None:
        browser.opens("/intake/check/")
        for errcode in ("22001", "P0001"):
            with self.failing("intake_finding", errcode):
                assert browser.sends({"confirm": "yes"}).status == 500
            browser.opens("/intake/check/")
        browser.sends({"confirm": "yes"})
        assert browser.path == "/intake/sent/", browser.path
        for path in ("/intake/status/", "/intake/answers/", "/intake/answers.pdf", "/intake/calendar.ics"):
            browser.opens(path)
        browser.opens("/intake/")

    def on_another_phone(self, link: str) -> None:
        other = self.opens_form(link)
        assert other.path == "/intake/code/"
        codes = re.compile(r"^Your code: (\d{6})$", re.M)
        code = self.until(lambda: codes.search("\n".join(self.product.mail.to(MAIL))), "a code")
        other.sends({"code": WORDS["wrong"]})
        other.sends({"code": code[1]})
        assert other.status == 200
        other.opens("/intake/")
        self.leaves(other)

    def leaves(self, browser: PlainBrowser) -> None:
        self.cookies += [f"{name}={value}" for name, value in browser.cookies.items()]
        browser.opens("/intake/")
        browser.asks("POST", "/intake/leave/", browser.form({}))

    def on_the_tablet(self, desk: PlainBrowser, evaluation: str) -> None:
        desk.opens(f"/staff/intake/evaluation/{evaluation}/change/")
        desk.asks("POST", f"/staff/intake/evaluation/{evaluation}/tablet/", desk.form({}))
        assert desk.status == 200, desk.path
        found = re.search(r'id="digits"[^>]*>([\d\s]+)<', desk.page.text)
        assert found
        tablet = self.stranger().opens("/intake/tablet/")
        tablet.sends({"code": re.sub(r"\s", "", found[1])})
        tablet.sends(dict(zip(("month", "day", "year"), BORN, strict=True)))
        tablet.opens("/intake/about/")
        assert WORDS["story"] in tablet.page.text
        self.leaves(tablet)

    def changes(self, browser: PlainBrowser) -> None:
        browser.opens("/intake/status/")
        browser.asks("POST", "/intake/change/", browser.form({}))
        browser.opens("/intake/about/")
        browser.sends_main({"why.story": WORDS["changed"]})
        browser.opens("/intake/check/")
        browser.sends({"confirm": "yes"})
        assert browser.status == 200

    # What the clinic does

    def books(self, desk: PlainBrowser) -> str:
        """The id of the evaluation, booked with another mistake first."""
        desk.opens("/staff/intake/evaluationrequest/")
        assert WORDS["family"] in desk.page.text
        found = re.search(r"/staff/intake/evaluationrequest/[0-9a-f-]{36}/book/", desk.page.text)
        assert found
        starts_at = datetime.now(CLINIC) + timedelta(days=3)
        when = {"starts_at": starts_at.strftime("%Y-%m-%dT10:30"), "minutes": "60"}
        desk.opens(found[0])
        desk.sends({**when, "starts_at": WORDS["wrong"]}, has=("physio",))
        desk.opens(found[0])
        physio = re.search(r'<option value="(\d+)"', desk.page.text)
        assert physio
        more = {"patient": "new"} if 'name="patient"' in desk.page.text else {}
        with self.failing("intake_evaluation", "22001"):
            assert desk.sends({**when, **more, "physio": physio[1]}, has=("physio",)).status == 500
        desk.opens(found[0])
        desk.sends({**when, **more, "physio": physio[1]}, has=("physio",))
        query = "SELECT id::text FROM intake_evaluation WHERE starts_at > now() ORDER BY created_at DESC"
        row = self.owner.execute(query).fetchone()
        assert row
        return str(row[0])

    def looks_around(self, browser: PlainBrowser) -> None:
        for path in (
            "/staff/",
            "/staff/intake/evaluation/",
            "/staff/intake/evaluation/?day=coming",
            "/staff/intake/patient/",
            "/staff/intake/evaluationrequest/",
            "/staff/urgent/",
            "/staff/figures/",
            "/staff/intake/evaluation/briefs/",
            "/staff/intake/evaluation/briefs.pdf",
            "/staff/intake/rule/",
        ):
            browser.opens(path)

    def searches(self, browser: PlainBrowser) -> None:
        for path in ("/staff/intake/evaluation/?day=coming", "/staff/intake/patient/"):
            browser.opens(path)
            browser.sends({"q": WORDS["family"]})
            assert WORDS["given"] in browser.page.text

    def corrects(self, desk: PlainBrowser) -> None:
        row = self.owner.execute("SELECT id::text FROM intake_patient ORDER BY created_at LIMIT 1").fetchone()
        assert row
        path = f"/staff/intake/patient/{row[0]}/change/"
        desk.opens(path)
        desk.sends({"given_name": WORDS["given"], "birth_date": WORDS["wrong"]})
        desk.opens(path)
        with self.failing("intake_patient", "P0001"):
            assert desk.sends({"phone": PHONE}).status == 500
        desk.opens(path)
        desk.sends({"phone": PHONE})

    def reviews(self, physio: PlainBrowser, response: str) -> None:
        page = f"/staff/intake/questionnaireresponse/{response}/review/"
        physio.opens(page)
        assert WORDS["goalone"] in physio.page.text
        call = {
            "called": WORDS["called"],
            "called_at": datetime.now(CLINIC).strftime("%Y-%m-%dT%H:%M"),
            "outcome": "reached",
            "next_step": WORDS["nextstep"],
        }
        with self.failing("intake_redflagcontact", "22001"):
            assert physio.sends(call, button=("do", "contact")).status == 500
        physio.opens(page)
        physio.sends(call, button=("do", "contact"))
        assert physio.status == 200
        findings = dict.fromkeys(re.findall(r'name="finding" value="(\d+)"', physio.page.text))
        assert findings
        for finding in findings:
            note = {"finding": [finding], "note": [WORDS["verdict"]], "reason": ["old-injury"]}
            for do, fields in (("dismiss", {**note, "reason": [""]}), ("confirm", note)):
                physio.asks("POST", page, physio.form({**fields, "do": [do]}))
            with self.refusing("intake_verdict"):
                physio.asks("POST", page, physio.form({**note, "do": ["dismiss"]}))
                assert physio.status == 500
        physio.opens(f"{page}?add=1")
        places = re.findall(r'<option value="([^"]+)"', physio.page.text.split('name="starts"')[1])
        link = {"starts": places[0], "shows": places[1], "words": WORDS["link"]}
        physio.sends({**link, "words": ""}, button=("do", "link"))
        physio.opens(f"{page}?add=1")
        physio.sends(link, button=("do", "link"))
        physio.asks("POST", page, physio.form({"do": ["finish"]}))
        base = page.removesuffix("review/")
        for path in ("brief/", "brief.pdf", "brief.txt", "news/", "review/", "brief/pdf/", "brief/text/"):
            physio.opens(base + path)

    def closes(self, physio: PlainBrowser, response: str) -> None:
        page = f"/staff/intake/questionnaireresponse/{response}/outcome/"
        physio.opens(page)
        results = dict.fromkeys(re.findall(r'name="(result-\d+)"', physio.page.text), "found")
        notes = dict.fromkeys(re.findall(r'name="(note-\d+)"', physio.page.text), WORDS["outcome"])
        with self.failing("intake_outcome", "23505"):
            assert physio.sends({**results, **notes}, button=("do", "close")).status == 500
        physio.opens(page)
        physio.sends({**results, **notes}, button=("do", "close"))
        assert physio.status == 200
        lessons = page.replace("outcome/", "lessons/")
        physio.opens(lessons)
        slugs = re.findall(r'name="lessons" value="([\w-]+)"', physio.page.text)[:2]
        physio.asks("POST", lessons, physio.form({"do": ["share"], "lessons": slugs}))
        assert physio.status == 200
        physio.opens("/staff/figures/")

    def cancels(self, desk: PlainBrowser, evaluation: str) -> None:
        base = f"/staff/intake/evaluation/{evaluation}/"
        desk.opens(base + "reminders/")
        desk.opens(base + "change/")
        desk.asks("POST", base + "reminders/", desk.form({"do": ["off"]}))
        desk.opens(base + "cancel/")
        desk.sends({"reason": WORDS["cancelled"]} if 'name="reason"' in desk.page.text else {}, has=())
        desk.opens(base + "rebook/")
        if 'name="starts_at"' in desk.page.text:
            starts_at = datetime.now(CLINIC) + timedelta(days=4)
            desk.sends({"starts_at": starts_at.strftime("%Y-%m-%dT11:30")})


def raw(port: int, text: str) -> None:
    """What is no request at all."""
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(text.encode("latin-1"))
        with contextlib.suppress(OSError):
            line.recv(4096)


@pytest.fixture(scope="module")
def walked(database_urls: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    machine = Machine(tmp_path_factory.mktemp("canary"), database_urls)
    walk = None
    try:
        machine.product.start()
        walk = Walk(machine)
        everything(walk)
        yield walk
    finally:
        if walk is not None:
            walk.end()
        machine.end()


def everything(walk: Walk) -> None:
    physio = walk.staff("physio", "ortiz")
    desk = walk.staff("front desk", "lee")
    owner = walk.staff("owner", "boss")
    # She came already, with another family name.
    seen = walk.product.reception(
        "visit",
        born="-".join((BORN[2], BORN[0], BORN[1])),
        given=WORDS["given"],
        family=WORDS["second"],
        email=MAIL,
        minutes_ahead=-120,
        answers={name: values for name, values in ANSWERS.items() if not name.startswith("safety.")},
    )
    walk.asks()
    walk.looks_around(desk)
    evaluation = walk.books(desk)
    link = walk.link("open")
    browser = walk.opens_form(link)
    walk.fills_in(browser)
    walk.on_another_phone(link)
    walk.on_the_tablet(desk, evaluation)
    walk.sends_form(browser)
    walk.changes(browser)
    walk.corrects(desk)
    for who in (desk, physio, owner):
        walk.looks_around(who)
    walk.searches(desk)
    walk.searches(physio)
    sent = walk.owner.execute(
        "SELECT id::text FROM intake_questionnaireresponse WHERE status IN ('completed', 'amended')"
        " ORDER BY started_at DESC LIMIT 1"
    ).fetchone()
    assert sent
    walk.reviews(physio, str(sent[0]))
    walk.cancels(desk, evaluation)
    walk.closes(physio, seen["response"])
    shared = walk.opens_form(walk.link("lessons"))
    shared.opens("/intake/lessons/")
    walk.leaves(browser)
    walk.signed_out = [desk, physio]
    for who in (desk, physio, owner):
        walk.cookies += [f"{name}={value}" for name, value in who.cookies.items()]
        who.opens("/staff/")
        who.asks("POST", "/staff/logout/", who.form({}))


def hits(text: str, *more: str) -> list[str]:
    """What of hers stands in a text, however it was written."""
    plain = unquote_plus(text).lower()
    found = [
        *re.findall(rf"{MARK}\w*", plain),
        *(word for word in (*DATES, PHONE, *more) if word.lower() in plain),
    ]
    return sorted(set(found))


def unpacked(text: str) -> str:
    """The text, and what stands packed and signed in it, as sessions and messages are."""
    found = [text]
    for token in re.findall(r"\.?[\w-]{20,}(?=:)", text):
        with contextlib.suppress(ValueError, zlib.error):
            data = b64_decode(token.removeprefix(".").encode())
            found.append((zlib.decompress(data) if token.startswith(".") else data).decode(errors="replace"))
    return "\n".join(found)


def test_every_kind_of_trouble_came(walked: Walk) -> None:
    assert {200, 302, 303, 400, 403, 404, 405, 413, 500, 503} <= walked.wire.statuses


def test_no_log_holds_a_word_of_hers(walked: Walk) -> None:
    said = walked.product.said()
    server = (walked.machine.cluster.root / "server.log").read_text(errors="replace")
    # What is searched is where errors are told.
    for words in ("IntegrityError", "DataError", "SQLSTATE", "database away", "Refused a request"):
        assert words in said, words
    assert "job worker" in said or "procrastinate" in said
    assert "database system" in server
    for log in (said, server):
        assert hits(log, *CODES, MAIL, "555-0163", "5550163") == []
        assert "/intake/open/" not in re.sub(r"/intake/open/\.\.\.", "", log)


def test_tables_that_are_not_about_patients_hold_none(walked: Walk) -> None:
    guarded = {model._meta.db_table for model in apps.get_models() if issubclass(model, PatientData)}
    tables = walked.owner.execute(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    ).fetchall()
    found = {}
    for (table,) in tables:
        rows = walked.owner.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t').fetchall()
        if what := hits("\n".join(unpacked(text) for (text,) in rows)):
            found[table] = what
    assert found.keys() <= guarded, {name: found[name] for name in found.keys() - guarded}
    assert {"intake_patient", "intake_questionnaireresponse", "intake_redflagcontact"} <= found.keys()
    everywhere = {word for words in found.values() for word in words}
    # Each word came in somewhere, or its way was not walked.
    assert set(WORDS.values()) - everywhere <= {WORDS["wrong"], WORDS["reason"]}


def test_jobs_hold_keys_only(walked: Walk) -> None:
    rows = walked.owner.execute(
        "SELECT to_jsonb(t)::text FROM procrastinate_jobs t"
        " UNION ALL SELECT to_jsonb(t)::text FROM procrastinate_events t"
    ).fetchall()
    assert len(rows) > 10
    assert hits("\n".join(text for (text,) in rows), *CODES) == []


def test_mails_hold_her_first_name_and_nothing_else(walked: Walk) -> None:
    mails = walked.product.mail.to(MAIL)
    assert len(mails) >= 5
    for path in walked.product.mail.folder.glob("*.log"):
        text = path.read_text()
        written = re.sub(r"(?m)^(Message-ID|To): .*$", "", text)
        assert set(hits(written, *CODES, "knee", "foot", "pain", "1931")) <= {WORDS["given"]}, path
    subjects = [line for text in mails for line in re.findall(r"(?m)^Subject: .*", text)]
    assert hits("\n".join(subjects)) == []


def test_no_address_title_or_header_holds_one(walked: Walk) -> None:
    wire = walked.wire
    assert len(wire.addresses) > 200
    # One that she, and nobody of ours, made up.
    made_up = f"/intake/{MARK}-none/"
    assert hits("\n".join(one for one in wire.addresses if one != made_up), *CODES) == []
    assert hits("\n".join(wire.titles), *CODES) == []
    others = [header for header in wire.headers if not header.startswith(f"Set-Cookie: {SOUGHT}=")]
    assert hits("\n".join(unpacked(header) for header in others), *CODES) == []


def test_no_page_of_an_error_holds_one(walked: Walk) -> None:
    """But the one that is to send again what she typed."""
    for text in walked.wire.refusals:
        if "We will be right back" not in text and 'name="again"' not in text:
            assert hits(text, *CODES) == [], text[:300]


def test_cookies_are_random(walked: Walk) -> None:
    """But the one for what staff look for, which is there until they sign out (ADR 0047)."""
    others = [cookie for cookie in walked.cookies if not cookie.startswith(f"{SOUGHT}=")]
    assert len(others) > 5
    assert hits("\n".join(unpacked(cookie) for cookie in others)) == []
    for staff in walked.signed_out:
        assert staff.cookies[SOUGHT] == ""


def test_no_file_holds_one(walked: Walk) -> None:
    folders = [Path(walked.product.environment["MEDIA_DIR"]), BASE_DIR / "static", BASE_DIR / "staticfiles"]
    files = [path for folder in folders if folder.exists() for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if MARK.encode() in path.read_bytes().lower()] == []
