"""Public pages are kept until anything they show changes, in every process, and not a request longer."""

import gzip
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from education.clinic_info.models import PrivacyNotice
from education.edition.pages import MOST_BYTES, PAGES, KeptPages, Page
from education.models import (
    Author,
    Category,
    ChainLink,
    ChainNode,
    ClinicInfo,
    Edition,
    Lesson,
    LessonRedirect,
    PhysioTest,
    Source,
)
from tests.integration.locks import until_somebody_waits

LESSON = "/learn/flat-feet/"
NEW_PHONE = "(310) 555-0199"


def public_pages() -> list[str]:
    """Every public page that is kept, of the shipped library."""
    paths = ["/", "/privacy/", "/learn/", "/learn/course/", "/chain/", "/chain/?side=right"]
    paths += [lesson.get_absolute_url() for lesson in Lesson.objects.live()]
    paths += [reverse("education:category", args=[category.slug]) for category in Category.objects.all()]
    return paths + [reverse("education:part", args=[node.slug]) for node in ChainNode.objects.all()]


def elsewhere(write: Callable[[], object]) -> None:
    """Do it on a connection of its own, as another process would, and commit it."""

    def run() -> None:
        try:
            write()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result(30)


# ---- an edit shows at the next request


def change_phone() -> None:
    ClinicInfo.objects.update(phone_display=NEW_PHONE)


def change_source() -> None:
    Source.objects.filter(code="S10").update(title="A study of flat feet")


def change_link() -> None:
    ChainLink.objects.filter(slug="arch-low--knee-inner").update(mechanism="It is told in new words.")


def publish_lesson() -> None:
    lesson = Lesson.objects.get(slug="flat-feet")
    lesson.lead = "A lead that was just published."
    lesson.save_revision().publish()


EDITS = {
    change_phone: NEW_PHONE,
    change_source: "A study of flat feet",
    change_link: "It is told in new words.",
    publish_lesson: "A lead that was just published.",
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_what_another_process_commits_shows_at_the_next_request(
    committed_db: None, client: Client, edit: Callable[[], None]
) -> None:
    before = client.get(LESSON)
    assert EDITS[edit] not in before.text
    elsewhere(edit)
    after = client.get(LESSON, headers={"if-none-match": before.headers["ETag"]})
    assert after.status_code == 200
    assert EDITS[edit] in after.text


def test_a_lesson_that_another_process_unpublishes_is_gone(committed_db: None, client: Client) -> None:
    def publish() -> None:
        row = Lesson(slug="warm-up", title="Warm up", lead="Warm.", part="help", order=90, summary="Walk.")
        row.suggest_because = "You asked."
        row.save()
        row.save_revision().publish()

    assert client.get("/learn/warm-up/").status_code == 404
    elsewhere(publish)
    assert client.get("/learn/warm-up/").status_code == 200
    assert "/learn/warm-up/" in client.get("/learn/").text
    elsewhere(lambda: Lesson.objects.get(slug="warm-up").unpublish())
    assert client.get("/learn/warm-up/").status_code == 404
    assert "/learn/warm-up/" not in client.get("/learn/").text


def test_an_edit_that_is_not_committed_shows_nowhere(committed_db: None, client: Client) -> None:
    before = client.get(LESSON)
    written, go_on = threading.Event(), threading.Event()

    def edit() -> None:
        try:
            with transaction.atomic():
                change_phone()
                written.set()
                go_on.wait(10)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        editing = pool.submit(edit)
        assert written.wait(10)
        meanwhile = client.get(LESSON, headers={"if-none-match": before.headers["ETag"]})
        go_on.set()
        editing.result(30)
    assert meanwhile.status_code == 304
    assert NEW_PHONE in client.get(LESSON).text


@pytest.mark.parametrize("asked_first", ["education_edition", "education_lesson"])
def test_a_page_that_was_being_drawn_while_an_edit_came_is_not_kept_for_later(
    committed_db: None, client: Client, asked_first: str
) -> None:
    """The edit is committed right after the edition was read, or right after the lesson was."""
    edits = [change_phone]

    def interrupt(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if asked_first in sql and edits:
            elsewhere(edits.pop())
        return result

    with connection.execute_wrapper(interrupt):
        drawn = client.get(LESSON)
    assert edits == []
    assert (NEW_PHONE in drawn.text) is (asked_first == "education_edition")
    assert NEW_PHONE in client.get(LESSON).text


def test_a_kept_connection_that_died_is_replaced(committed_db: None, client: Client) -> None:
    before = client.get(LESSON)
    assert connection.connection is not None
    pid = connection.connection.info.backend_pid

    def end_it() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            assert cursor.fetchone() == (True,)

    elsewhere(end_it)
    # As a server does ahead of a request, and the test's client does not.
    close_old_connections()
    after = client.get(LESSON)
    assert (after.status_code, after.content) == (200, before.content)
    assert connection.connection.info.backend_pid != pid


# ---- the mark


def test_every_table_that_a_kept_page_reads_sets_a_new_mark(library: None, client: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        for path in public_pages():
            assert client.get(path).status_code == 200
    read = {
        name
        for query in asked
        for name in re.findall(r'(?:FROM|JOIN) "?(\w+)"?', query["sql"], re.IGNORECASE)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE tgname LIKE '%%new_edition%%' AND tgenabled = 'O'"
        )
        watched = {name for (name,) in cursor.fetchall()}
    assert read - watched == {"education_edition"}
    assert {"education_lesson", "education_lesson_sources", "wagtailimages_rendition"} <= read


def lesson() -> Lesson:
    return Lesson.objects.get(slug="flat-feet")


def other() -> Lesson:
    return Lesson.objects.get(slug="exercise-safely")


WRITES: dict[str, Callable[[], object]] = {
    "lesson": lambda: lesson().save(),
    "lesson, unpublished": lambda: Lesson.objects.filter(pk=lesson().pk).update(live=False),
    "lesson, bulk": lambda: Lesson.objects.bulk_update([lesson()], ["title"]),
    "related": lambda: Lesson.related.through.objects.create(from_lesson=lesson(), to_lesson=other()),
    "sources": lambda: Lesson.sources.through.objects.filter(lesson=lesson()).delete(),
    "author": lambda: Author.objects.create(name="Maya Ortiz"),
    "category": lambda: Category.objects.update(name="Feet"),
    "link": lambda: ChainLink.objects.update(lesson=lesson()),
    "node": lambda: ChainNode.objects.update(name="Knee"),
    "source, deleted": lambda: Source.objects.create(code="S999", title="New").delete(),
    # Readers see neither; the desk quotes both.
    "test": lambda: PhysioTest.objects.update(threshold="Over 12 mm"),
    "old address": lambda: LessonRedirect.objects.create(slug="old-address", lesson=lesson()),
    "clinic": lambda: ClinicInfo.objects.update(name="Another clinic"),
    "privacy": lambda: PrivacyNotice.objects.create(text="New words."),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_sets_a_new_mark(library: None, name: str) -> None:
    before = Edition.current()
    assert before is not None
    WRITES[name]()
    assert Edition.current() not in (None, before)


def test_a_draft_and_what_nobody_sees_set_none(library: None) -> None:
    row = lesson()
    before = Edition.current()
    row.title = "Only a thought"
    row.save_revision()
    Lesson.objects.filter(slug="flat-feet").update(suggest_because="Other words.")
    Source.objects.update(used_for="Other words.")
    assert Edition.current() == before


def test_a_mark_does_not_come_back(library: None) -> None:
    marks = [Edition.current()]
    for _ in range(3):
        with transaction.atomic():
            change_phone()
            marks.append(Edition.current())
            transaction.set_rollback(True)
    assert len(set(marks)) == 4
    assert Edition.current() == marks[0]


def test_two_writers_wait_for_each_other_and_both_finish(committed_db: None) -> None:
    """One writes the sources, then the clinic; the other the clinic, then the sources."""
    written, go_on = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with transaction.atomic():
                change_source()
                written.set()
                go_on.wait(10)
                ClinicInfo.objects.update(city="Lomita")
        finally:
            connections.close_all()

    def second() -> None:
        try:
            with transaction.atomic():
                change_phone()
                Source.objects.filter(code="S10").update(url="https://example.org/second")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert written.wait(10)
        two = pool.submit(second)
        until_somebody_waits()
        go_on.set()
        one.result(30)
        two.result(30)
    assert ClinicInfo.objects.values_list("city", "phone_display").get() == ("Lomita", NEW_PHONE)
    assert Source.objects.get(code="S10").title == "A study of flat feet"
    assert Source.objects.get(code="S10").url == "https://example.org/second"


# ---- what is kept


def test_the_other_day_it_is_drawn_anew(
    library: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page says whether its review is overdue, which comes with the day and not with an edit."""
    today = timezone.localdate()
    Lesson.objects.filter(slug="flat-feet").update(reviewed_on=today, next_review_on=today)
    assert "Reviewed by a physio" in client.get(LESSON).text
    tomorrow = timezone.now() + timezone.timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    assert "Reviewed by a physio" not in client.get(LESSON).text


def test_nobody_can_fill_the_shelf(library: None, client: Client) -> None:
    paths = public_pages()
    for path in paths:
        client.get(path)
    full = len(PAGES), PAGES.bytes
    assert full[0] == len(paths)
    assert full[1] < MOST_BYTES / 2
    for number in range(5):
        client.get(f"{LESSON}?utm_source={number}")
        client.get(f"/chain/?side={number}")
        assert client.get(f"/learn/none-{number}/").status_code == 404
    assert (len(PAGES), PAGES.bytes) == full


def test_a_shelf_has_limits() -> None:
    def page(size: int) -> Page:
        return Page("stamp", "text/html", b"x" * size, b"", "tag")

    shelf = KeptPages(most_pages=3, most_bytes=100)
    for name in "abc":
        shelf.keep(name, page(10))
    assert shelf.find("a", "stamp") is not None
    shelf.keep("d", page(10))
    assert [name for name in "abcd" if shelf.find(name, "stamp")] == ["a", "c", "d"]
    assert shelf.find("a", "another stamp") is None
    shelf.keep("e", page(95))
    assert [name for name in "abcde" if shelf.find(name, "stamp")] == ["e"]
    shelf.keep("e", page(20))
    assert (len(shelf), shelf.bytes) == (1, 20)
    shelf.keep("f", page(101))
    assert (len(shelf), shelf.bytes) == (0, 0)


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("x-not-gzip", False),
        ("identity", False),
        ("", False),
    ],
)
def test_a_page_comes_as_the_browser_takes_it(
    library: None, client: Client, accepts: str, packed: bool
) -> None:
    plain = client.get(LESSON)
    answer = client.get(LESSON, headers={"accept-encoding": accepts})
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert (gzip.decompress(answer.content) if packed else answer.content) == plain.content
    again = client.get(LESSON, headers={"accept-encoding": accepts, "if-none-match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert again.headers["ETag"] == answer.headers["ETag"]
    assert again.headers["Vary"] == "Accept-Encoding"


def test_an_edit_of_another_page_leaves_a_readers_copy_right(library: None, client: Client) -> None:
    before = client.get("/privacy/")
    Lesson.objects.filter(slug="flat-feet").update(lead="New words.")
    after = client.get("/privacy/", headers={"if-none-match": before.headers["ETag"]})
    assert after.status_code == 304
