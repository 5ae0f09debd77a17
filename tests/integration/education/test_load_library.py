"""Loading the library: once, again, and after editors and new releases have changed things."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.utils import timezone
from wagtail.models import ModelLogEntry

from education.catalog.load import FOLDER, REVIEW_AFTER, CatalogError, differences, load
from education.chain.publishing import SHIPPED
from education.lessons.blocks import blocks_of_text, raw_blocks, text_of_blocks
from education.models import (
    Category,
    ChainLink,
    ChainNode,
    ClinicInfo,
    Lesson,
    PhysioTest,
    ShippedEntry,
    Source,
)

Release = tuple[Path, Callable[[str, Callable[[dict[str, Any]], None]], None]]

COUNTS = {"clinic": 1, "source": 79, "test": 30, "node": 31, "category": 1, "lesson": 18, "link": 32}


def lesson_of(data: dict[str, Any], slug: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in data["lessons"] if entry["slug"] == slug)
    return found


def exits(status: int) -> Any:
    """The command ends with this status."""
    return pytest.raises(SystemExit, check=lambda ended: ended.code == status)


def retitle(data: dict[str, Any]) -> None:
    lesson_of(data, "flat-feet")["title"] = "Flat feet, told anew"


@pytest.mark.django_db
def test_an_empty_library_is_filled() -> None:
    ShippedEntry.objects.all().delete()
    for model in (ChainLink, Lesson, Category, ChainNode, PhysioTest, Source, ClinicInfo):
        model.objects.all().delete()

    assert load().created == COUNTS

    flat_feet = Lesson.objects.live().get(slug="flat-feet")
    assert flat_feet.title == "Flat feet and sinking arches"
    text = text_of_blocks(raw_blocks(flat_feet.body))
    assert text.startswith("## From a low arch up to the knee\n\nYour arch works like a spring")
    assert flat_feet.key_points[0] == "Low arch, less spring."
    assert {other.slug for other in flat_feet.related.all()} == {
        "rolling-in",
        "check-yourself-safely",
        "two-stories",
    }
    assert flat_feet.links.get(slug="tib-post--arch-low").tests.filter(slug="heel-raise").exists()
    assert not flat_feet.approved
    link = ChainLink.objects.get(slug="knee--weight-shift")
    assert (link.from_node.name, link.to_node.name) == ("Knee", "Leaning on the other leg")
    assert (link.direction, link.laterality, link.evidence_grade) == ("down", "opposite", "moderate")
    assert link.lesson is not None
    assert link.lesson.slug == "shifting-weight"
    assert ClinicInfo.current().phone_display == "(310) 555-0142"


def test_loading_again_changes_nothing(library: None, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):  # savepoint, lock, three reads, savepoint
        report = load()
    assert report.unchanged == COUNTS
    assert (report.created, report.updated, report.kept, report.withdrawn) == ({}, {}, [], [])


def test_a_new_release_updates_what_nobody_changed(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    edit("chain.json", lambda data: data["links"][0].update(tests=["lunge"]))
    physio = get_user_model().objects.create_user("physio")
    Lesson.objects.filter(slug="flat-feet").update(approved_by=physio)

    report = load(folder)

    assert report.updated == {"lesson": 1, "link": 1}
    flat_feet = Lesson.objects.get(slug="flat-feet")
    assert flat_feet.title == "Flat feet, told anew"
    assert not flat_feet.approved, "a physio approved the old words, not these"
    assert flat_feet.updated_on == timezone.localdate()
    assert flat_feet.published_on.isoformat() == "2025-05-22"
    tests = ChainLink.objects.get(slug="overpronation--shank-rotation").tests.all()
    assert [test.slug for test in tests] == ["lunge"]
    assert load(folder).unchanged == COUNTS


def test_an_editors_text_survives_a_new_release_and_is_named(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    Lesson.objects.filter(slug="flat-feet").update(summary="Sam wrote this.")

    report = load(folder)

    assert report.kept == [{"kind": "lesson", "entry": "flat-feet", "reason": "changed here"}]
    flat_feet = Lesson.objects.get(slug="flat-feet")
    assert (flat_feet.title, flat_feet.summary) == ("Flat feet and sinking arches", "Sam wrote this.")


def test_an_editors_review_date_survives_releases_and_is_named(
    library: None, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, edit = release
    day = timezone.localdate() + timedelta(days=90)
    Lesson.objects.filter(slug="flat-feet").update(next_review_on=day)
    for title in ("Flat feet, told anew", "Flat feet, told once more"):
        edit("lessons.json", lambda data, title=title: lesson_of(data, "flat-feet").update(title=title))
        with exits(1):
            call_command("load_library", "--diff", "--catalog", folder)
        assert "lesson flat-feet, nextReview: edited here, stays as it is" in capsys.readouterr().out

        report = load(folder)

        assert report.kept == [{"kind": "lesson", "entry": "flat-feet", "reason": "next review set here"}]
        flat_feet = Lesson.objects.get(slug="flat-feet")
        assert (flat_feet.title, flat_feet.next_review_on) == (title, day)


def test_a_review_date_of_ours_moves_with_the_text(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    with time_machine.travel(timezone.now() + timedelta(days=30), tick=False):
        assert load(folder).kept == []
        due = timezone.localdate() + REVIEW_AFTER
    assert Lesson.objects.get(slug="flat-feet").next_review_on == due


def test_an_editors_text_survives_the_release_that_first_ships_one(library: None) -> None:
    def as_shipped_before_bodies(slug: str, body: str) -> None:
        Lesson.objects.filter(slug=slug).update(body=blocks_of_text(body))
        entry = ShippedEntry.objects.get(kind="lesson", key=slug)
        entry.content.pop("body")
        entry.save()

    as_shipped_before_bodies("flat-feet", body="Sam wrote this.")
    as_shipped_before_bodies("rolling-in", body="")

    report = load()

    assert report.kept == [{"kind": "lesson", "entry": "flat-feet", "reason": "changed here"}]
    assert report.updated == {"lesson": 1}
    assert text_of_blocks(raw_blocks(Lesson.objects.get(slug="flat-feet").body)) == "Sam wrote this."
    first, *_others = raw_blocks(Lesson.objects.get(slug="rolling-in").body)
    assert first["value"]["text"].startswith("Foot in")


def test_an_editors_choice_of_related_lessons_survives(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    lesson = Lesson.objects.get(slug="flat-feet")
    lesson.related.clear()
    lesson.save()

    assert load(folder).updated == {}
    assert not Lesson.objects.get(slug="flat-feet").related.exists()


def shipped(lesson: Lesson) -> list[int]:
    """The revisions that the lesson's history lists as shipped by a release, oldest first."""
    entries = ModelLogEntry.objects.for_instance(lesson).filter(action=SHIPPED)
    return list(entries.order_by("pk").values_list("revision", flat=True))


def test_the_history_lists_each_release(library: None, release: Release) -> None:
    folder, edit = release
    lesson = Lesson.objects.get(slug="flat-feet")
    assert shipped(lesson) == [lesson.live_revision_id]
    edit("lessons.json", retitle)
    load(folder)
    first, second = shipped(lesson)
    lesson.refresh_from_db()
    assert (first < second, second) == (True, lesson.live_revision_id)


def test_a_history_from_before_it_listed_releases_is_completed(library: None) -> None:
    lesson = Lesson.objects.get(slug="flat-feet")
    ModelLogEntry.objects.for_instance(lesson).delete()
    written = lesson.live_revision.created_at
    sam = get_user_model().objects.create_user("sam")
    lesson.save_revision(user=sam, log_action=True)

    load()
    load()

    assert shipped(lesson) == [lesson.live_revision_id]
    assert ModelLogEntry.objects.for_instance(lesson).get(action=SHIPPED).timestamp == written


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        # Opened in the editor and saved: every paragraph has a key of its own, the words are the same.
        (lambda html: html.replace("<p>", '<p data-block-key="ab1">'), False),
        (lambda html: html.replace("<p>", "<p><b>Sam:</b> ", 1), True),
    ],
)
def test_only_words_make_a_change(
    library: None, release: Release, body: Callable[[str], str], changed: bool
) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    lesson = Lesson.objects.get(slug="flat-feet")
    lesson.body = [
        {**block, "value": body(block["value"]) if block["type"] == "text" else block["value"]}
        for block in raw_blocks(lesson.body)
    ]
    lesson.save()

    assert [entry["entry"] for entry in load(folder).kept] == (["flat-feet"] if changed else [])


def test_a_lesson_at_another_address_is_still_the_shipped_one(library: None, release: Release) -> None:
    folder, edit = release
    lesson = Lesson.objects.get(slug="flat-feet")
    lesson.slug = "low-arches"
    lesson.save_revision().publish()
    assert differences() == []
    edit("lessons.json", retitle)
    edit("lessons.json", lambda data: lesson_of(data, "two-stories").update(title="Two"))

    report = load(folder)

    assert (report.updated, report.kept) == ({"lesson": 2}, [])
    lesson = Lesson.objects.get(slug="low-arches")
    assert lesson.title == "Flat feet, told anew"
    assert lesson in Lesson.objects.get(slug="two-stories").related.all()
    assert not Lesson.objects.filter(slug="flat-feet").exists()


def test_the_clinics_own_facts_survive(library: None, release: Release) -> None:
    folder, edit = release
    edit("clinic.json", lambda data: data.update(hours="By appointment"))
    ClinicInfo.objects.update(name="Real Physio")

    assert load(folder).kept == [{"kind": "clinic", "entry": "1", "reason": "changed here"}]
    assert ClinicInfo.current().name == "Real Physio"


def test_an_unpublished_lesson_stays_unpublished(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    Lesson.objects.filter(slug="flat-feet").update(live=False)

    assert load(folder).updated == {"lesson": 1}
    assert not Lesson.objects.live().filter(slug="flat-feet").exists()


def test_what_an_editor_deleted_does_not_come_back(library: None, release: Release) -> None:
    folder, edit = release
    edit("chain.json", lambda data: data["sources"][1].update(title="New title"))
    Source.objects.get(code="S02").delete()

    assert load(folder).kept == [{"kind": "source", "entry": "S02", "reason": "deleted here"}]
    assert not Source.objects.filter(code="S02").exists()


def test_a_release_may_point_to_what_an_editor_deleted(library: None, release: Release) -> None:
    folder, edit = release
    Source.objects.get(code="S25").delete()
    edit("lessons.json", lambda data: lesson_of(data, "high-arches").update(sources=["S09", "S25"]))

    assert load(folder).updated == {"lesson": 1}
    assert [source.code for source in Lesson.objects.get(slug="high-arches").sources.all()] == ["S09"]


def test_a_row_made_here_is_not_taken_over(library: None, release: Release) -> None:
    folder, edit = release
    Category.objects.create(slug="news", name="Our news")
    edit("lessons.json", lambda data: data["categories"].append({"slug": "news", "name": "News"}))

    assert load(folder).kept == [
        {"kind": "category", "entry": "news", "reason": "made here under the same name"}
    ]
    assert Category.objects.get(slug="news").name == "Our news"


def test_what_is_no_longer_shipped_stays_and_is_named(library: None, release: Release) -> None:
    folder, edit = release
    edit("chain.json", lambda data: data["links"].pop())

    assert load(folder).withdrawn == [{"kind": "link", "entry": "knee-trigger--knee"}]
    assert ChainLink.objects.filter(slug="knee-trigger--knee").exists()


def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", retitle)

    assert load(folder, dry_run=True).updated == {"lesson": 1}
    assert Lesson.objects.get(slug="flat-feet").title == "Flat feet and sinking arches"
    assert load(folder).updated == {"lesson": 1}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "lessons.json",
            lambda data: data["lessons"][0].update(sources=["S999"]),
            "lesson one-connected-chain: there is no source 'S999'",
        ),
        (
            "lessons.json",
            lambda data: data["lessons"][0].update(related=["one-connected-chain"]),
            "lesson one-connected-chain: related: names itself",
        ),
        (
            "lessons.json",
            lambda data: data["lessons"][0].update(part="sideways"),
            "lesson one-connected-chain: part: Value 'sideways' is not a valid choice.",
        ),
        (
            "lessons.json",
            lambda data: data["lessons"][0]["selfCheck"][0].update(answer=3),
            "lesson one-connected-chain: self_check: The answer must be the place of one of the options",
        ),
        (
            "lessons.json",
            lambda data: data["lessons"][1].update(suggestWhen={"scope": "leg", "requires": [1]}),
            "lesson feet-as-foundation: suggest_when: Say for whom it holds",
        ),
        ("lessons.json", lambda data: data["lessons"].append(data["lessons"][0]), "stands twice"),
        ("lessons.json", lambda data: data["lessons"][0].pop("slug"), "lesson: an entry has no slug"),
        (
            "chain.json",
            lambda data: data["links"][0].update(to="elbow"),
            "link overpronation--shank-rotation: there is no node 'elbow'",
        ),
        (
            "chain.json",
            lambda data: data["links"][0].update(to="overpronation"),
            "link overpronation--shank-rotation: .*education_link_two_ends",
        ),
        ("clinic.json", lambda data: data.update(phone="555 0142"), "clinic 1: phone: Start with"),
    ],
)
def test_a_wrong_entry_is_named_and_nothing_is_written(
    library: None, release: Release, name: str, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    folder, edit = release
    edit("lessons.json", retitle)
    edit(name, change)

    with pytest.raises(CatalogError, match=message):
        load(folder)
    assert Lesson.objects.get(slug="flat-feet").title == "Flat feet and sinking arches"


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "chain.json: cannot be read"), ("{", "chain.json: is not JSON"), ("[]", "is not a JSON object")],
)
@pytest.mark.django_db
def test_a_broken_file_is_named(release: Release, text: str | None, message: str) -> None:
    folder, _ = release
    (folder / "chain.json").unlink()
    if text is not None:
        (folder / "chain.json").write_text(text)
    with pytest.raises(CatalogError, match=message):
        load(folder)


def test_the_command_tells_people_and_programs(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_library")
    assert capsys.readouterr().out == "library: 0 created, 0 updated, 192 unchanged\n"

    Lesson.objects.filter(slug="flat-feet").update(summary="Sam wrote this.")
    ShippedEntry.objects.filter(kind="lesson", key="flat-feet").update(content={"title": "Older title"})
    ShippedEntry.objects.create(kind="link", key="old--new", content={})
    call_command("load_library", dry_run=True)
    assert capsys.readouterr().out.splitlines() == [
        "library (dry run): 0 created, 0 updated, 191 unchanged",
        "kept lesson flat-feet: changed here, not overwritten",
        "no longer shipped, still here: link old--new",
    ]

    call_command("load_library", json=True, dry_run=True)
    told = json.loads(capsys.readouterr().out)
    assert told["kept"] == [{"kind": "lesson", "entry": "flat-feet", "reason": "changed here"}]
    assert told["withdrawn"] == [{"kind": "link", "entry": "old--new"}]
    assert told["dryRun"] is True


def test_the_command_reads_another_catalog_and_refuses_in_one_line(library: None, release: Release) -> None:
    folder, edit = release
    edit("lessons.json", lambda data: data["lessons"][0].update(sources=["S999"]))
    with pytest.raises(CommandError, match=r"^lesson one-connected-chain: there is no source 'S999'$"):
        call_command("load_library", catalog=folder)


def test_a_diff_shows_both_sides_and_changes_nothing(
    library: None, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, change = release
    edited = Lesson.objects.get(slug="rolling-in")
    edited.summary = "Told by Sam."
    edited.save()
    gone = PhysioTest.objects.filter(links=None).first()
    assert gone is not None
    gone.delete()
    change("lessons.json", retitle)
    before = list(Lesson.objects.order_by("pk").values_list("title", "summary"))

    with exits(1):
        call_command("load_library", "--diff", "--catalog", folder)

    told = capsys.readouterr().out
    assert f"test {gone.slug}: deleted here, stays so" in told
    assert "lesson flat-feet, title: would be updated\n  shipped Flat feet, told anew\n" in told
    assert "lesson rolling-in, summary: edited here, stays as it is\n" in told
    assert "  here    Told by Sam.\n" in told
    assert told.endswith("nothing was changed\n")
    assert list(Lesson.objects.order_by("pk").values_list("title", "summary")) == before


def test_a_diff_for_programs(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    Lesson.objects.filter(slug="rolling-in").update(summary="Told by Sam.")
    with exits(1):
        call_command("load_library", "--diff", "--json")
    [one] = json.loads(capsys.readouterr().out)
    assert (one["kind"], one["entry"], one["state"], one["field"], one["here"]) == (
        "lesson",
        "rolling-in",
        "edited",
        "summary",
        "Told by Sam.",
    )
    assert (
        one["shipped"]
        == lesson_of(json.loads((FOLDER / "lessons.json").read_text()), "rolling-in")["summary"]
    )


def test_a_diff_without_a_difference_succeeds(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_library", "--diff")
    assert capsys.readouterr().out == "0 difference(s); nothing was changed\n"


def test_a_diff_of_a_catalog_that_cannot_be_read_says_so_by_its_status(library: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, check=lambda error: error.returncode == 2):
        call_command("load_library", "--diff", "--catalog", tmp_path)


def test_line_ends_of_a_form_are_no_edit(library: None, release: Release) -> None:
    folder, edit = release
    clinic = ClinicInfo.current()
    assert "\n" in clinic.hours
    ClinicInfo.objects.update(hours=clinic.hours.replace("\n", "\r\n"))
    assert differences() == []
    edit("clinic.json", lambda data: data.update(city="Gardena"))
    assert load(folder).updated == {"clinic": 1}
