"""An editor's day: drafts, publishing, history, addresses, and what has to stay."""

import json
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db.models import Count
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ReferenceIndex, Revision

from education.chain.protection import InUse
from education.chain.publishing import NotAllPublished, remember
from education.lessons.blocks import BodyBlock
from education.models import Author, Category, ChainLink, ClinicInfo, Lesson, LessonRedirect, Source
from education.tasks import publish_scheduled
from intake.review.library import LessonRef, quote
from tests.integration.education.editor.conftest import LESSON, Person, body_data, told


def page_of(lesson: Lesson) -> Any:
    return Client().get(lesson.get_absolute_url())


def test_an_editor_sees_the_library_and_no_patient(sam: Person) -> None:
    home = sam.client.get("/editor/")
    assert home.status_code == 200
    assert "Lessons" in home.text
    assert "Patient" not in home.text
    for path in ("/staff/intake/patient/", "/staff/intake/evaluation/"):
        assert sam.client.get(path).status_code == 404


@pytest.mark.parametrize("role", ["front desk"])
def test_the_editor_is_not_there_for_others(role: str, lesson: Lesson) -> None:
    person = Person(role)
    for path in ("/editor/", reverse(f"{LESSON}:list"), reverse(f"{LESSON}:edit", args=[lesson.pk])):
        assert person.client.get(path).status_code == 404
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/staff/login/?next=/editor/")


def test_rooms_that_are_not_ours_do_not_exist(sam: Person) -> None:
    for path in (
        "/editor/users/",
        "/editor/pages/",
        "/editor/workflows/list/",
        "/editor/sites/",
        "/editor/x/",
    ):
        assert sam.client.get(path).status_code == 404, path


@pytest.mark.parametrize("model", ["lesson", "chainlink"])
def test_a_list_can_be_searched_and_filtered_at_once(sam: Person, lesson: Lesson, model: str) -> None:
    category = Category.objects.get(slug="health").pk
    filters = {
        "lesson": f"part=foot-to-knee&live=true&category={category}",
        "chainlink": "direction=up&evidence_grade=expert&live=true",
    }
    path = f"/editor/snippets/education/{model}/"
    for query in (filters[model], f"q=foot&{filters[model]}"):
        for page in (path, f"{path}results/"):
            assert sam.client.get(f"{page}?{query}").status_code == 200


def test_a_draft_changes_nothing_for_readers(sam: Person, lesson: Lesson) -> None:
    answer = sam.saves(lesson, title="Warm up, always slowly")
    assert answer.status_code == 302, told(answer)
    lesson.refresh_from_db()
    assert lesson.title == "Warm up first"
    assert lesson.has_unpublished_changes
    assert "Warm up first" in page_of(lesson).text
    assert "always slowly" in sam.opens("edit", lesson.pk).text


def test_relations_of_a_draft_stay_in_the_draft(sam: Person, lesson: Lesson) -> None:
    sources = [str(source.pk) for source in lesson.sources.all()]
    other = Lesson.objects.get(slug="flat-feet")
    assert sam.saves(lesson, related=[str(other.pk)], sources=sources).status_code == 302
    lesson = Lesson.objects.get(pk=lesson.pk)
    assert not lesson.related.exists()
    lesson.latest_revision.publish()
    assert [row.slug for row in Lesson.objects.get(pk=lesson.pk).related.all()] == ["flat-feet"]


def test_a_new_lesson_is_a_draft_that_readers_cannot_open(sam: Person, lesson: Lesson) -> None:
    fields = {
        name: value for name, value in sam.form(lesson).items() if name not in ("related", "sources", "links")
    }
    answer = sam.client.post(
        reverse(f"{LESSON}:add"), {**fields, "title": "Cool down", "slug": "cool-down", "order": "91"}
    )
    assert answer.status_code == 302, told(answer)
    made = Lesson.objects.get(slug="cool-down")
    assert not made.live
    assert page_of(made).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "This field is required"),
        ({"slug": "flat-feet"}, "The lesson “Flat feet and sinking arches” already has this address."),
        ({"self_check": "Why?\n- Because"}, "needs two options or more"),
    ],
)
def test_errors_are_named(sam: Person, lesson: Lesson, changes: dict[str, str], words: str) -> None:
    answer = sam.saves(lesson, **changes)
    assert answer.status_code == 200
    assert words in told(answer)


def test_a_lesson_is_not_linked_to_itself(sam: Person, lesson: Lesson) -> None:
    answer = sam.saves(lesson, related=[str(lesson.pk)])
    assert answer.status_code == 200
    assert "A lesson cannot be related to itself." in told(answer)
    body = {
        "body-count": "1",
        "body-0-type": "lesson",
        "body-0-order": "0",
        "body-0-deleted": "",
        "body-0-value": str(lesson.pk),
    }
    assert "A lesson cannot link to itself." in sam.saves(lesson, **body).text
    for address in ("/learn/warm-up/", "http://127.0.0.1:8000/learn/warm-up/?a=b"):
        blocks = [{"type": "text", "value": f'<p><a href="{address}">Here</a></p>'}]
        assert "A lesson cannot link to itself." in sam.saves(lesson, **body_data(blocks)).text
    blocks = [{"type": "text", "value": '<p><a href="/learn/warm-up/#check">Below</a></p>'}]
    assert sam.saves(lesson, **body_data(blocks)).status_code == 302


def test_a_link_to_itself_is_refused_by_name(sam: Person, lesson: Lesson) -> None:
    link = ChainLink.objects.get(slug="knee--weight-shift")
    url = reverse("wagtailsnippets_education_chainlink:edit", args=[link.pk])
    form = sam.client.get(url).context["form"]
    data = {bound.html_name: bound.value() for bound in form if bound.value() not in (None, "", False)}
    for name in ("tests", "sources"):
        data[name] = [row.pk for row in getattr(link, name).all()]
    answer = sam.client.post(url, {**data, "to_node": data["from_node"]})
    assert "A link cannot lead to where it starts." in told(answer)


def test_a_drawing_needs_words_or_is_decorative(sam: Person, lesson: Lesson) -> None:
    body = {
        "body-count": "1",
        "body-0-type": "drawing",
        "body-0-order": "0",
        "body-0-deleted": "",
        "body-0-value-drawing": "path-up",
        "body-0-value-alt": "",
    }
    assert "Say in words what it shows, or mark it as decorative." in sam.saves(lesson, **body).text
    assert sam.saves(lesson, **body, **{"body-0-value-decorative": "on"}).status_code == 302


def test_an_editor_submits_and_a_physio_approves(sam: Person, physio: Person, lesson: Lesson) -> None:
    type(physio.user).objects.filter(pk=physio.user.pk).update(title="Dr.")
    Author.objects.create(name=physio.user.get_full_name(), credentials="DPT")
    assert sam.saves(lesson, "action-publish", title="Sam publishes").status_code == 302
    assert "Warm up first" in page_of(lesson).text, "an editor alone publishes no clinical text"
    assert (
        sam.saves(Lesson.objects.get(pk=lesson.pk), "action-submit", title="Warm up well").status_code == 302
    )
    lesson = Lesson.objects.get(pk=lesson.pk)
    state = lesson.current_workflow_task_state
    assert state is not None
    assert "Warm up well" in physio.client.get("/editor/").text
    url = reverse(f"{LESSON}:workflow_action", args=[lesson.pk, "approve", state.pk])
    assert physio.client.post(url, {"comment": ""}).status_code in (200, 302)
    lesson = Lesson.objects.get(pk=lesson.pk)
    assert (lesson.title, lesson.approved_by, lesson.reviewed_on) == (
        "Warm up well",
        physio.user,
        timezone.localdate(),
    )
    today = f"{timezone.localdate():%B} {timezone.localdate().day}, {timezone.localdate().year}"
    assert f"Reviewed by Dr. {physio.user.get_full_name()}, DPT, on {today}" in told(page_of(lesson))
    Lesson.objects.filter(pk=lesson.pk).update(reviewed_by="")
    assert f"Reviewed by a physio on {today}" in told(page_of(lesson))
    Lesson.objects.filter(pk=lesson.pk).update(next_review_on=timezone.localdate() - timedelta(days=1))
    assert "Reviewed by" not in told(page_of(lesson))


def test_a_physio_approves_in_the_form_what_she_did_not_write(
    sam: Person, physio: Person, lesson: Lesson
) -> None:
    sam.saves(lesson, "action-submit", title="Sam's words")
    approve = {"action-workflow-action": "true", "workflow-action-name": "approve"}
    assert physio.saves(Lesson.objects.get(pk=lesson.pk), **approve).status_code == 302
    lesson = Lesson.objects.get(pk=lesson.pk)
    assert (lesson.title, lesson.approved_by) == ("Sam's words", physio.user)

    sam.saves(lesson, "action-submit", title="Sam again")
    changed = physio.saves(Lesson.objects.get(pk=lesson.pk), title="Not Sam's words", **approve)
    assert changed.status_code == 302
    lesson = Lesson.objects.get(pk=lesson.pk)
    assert (lesson.title, lesson.approved_by) == ("Not Sam's words", None)


def test_nobody_approves_their_own_words(physio: Person, lesson: Lesson) -> None:
    assert physio.saves(lesson, "action-publish", title="My own words").status_code == 302
    lesson = Lesson.objects.get(pk=lesson.pk)
    assert lesson.title == "My own words"
    assert lesson.approved_by is None


def test_tomorrow_at_six_it_appears_and_not_before(physio: Person, lesson: Lesson) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    when = f"{tomorrow:%Y-%m-%d} 06:00"
    answer = physio.saves(lesson, "action-publish", title="From tomorrow on", go_live_at=when)
    assert answer.status_code == 302, told(answer)
    six = timezone.make_aware(datetime.combine(tomorrow, time(6)), ZoneInfo("America/Los_Angeles"))
    with time_machine.travel(six - timedelta(minutes=1), tick=False):
        publish_scheduled(0)
        assert "Warm up first" in page_of(lesson).text
    with time_machine.travel(six + timedelta(minutes=1), tick=False):
        publish_scheduled(0)
        assert "From tomorrow on" in page_of(lesson).text


def another(slug: str) -> Lesson:
    """A live lesson that no rule needs."""
    made = Lesson(slug=slug, title=slug, lead="x", summary="x", part="help", order=95, suggest_because="x")
    made.live = True
    made.save()
    remember(made)
    return made


def test_two_that_want_one_address_hold_up_nobody_else(physio: Person, lesson: Lesson) -> None:
    when = timezone.now() + timedelta(hours=1)
    others = [another(slug) for slug in ("cool-down", "sleep-well")]
    for row, changes in (
        (lesson, {"slug": "wanted", "go_live_at": when}),
        (others[0], {"slug": "wanted", "go_live_at": when + timedelta(minutes=1)}),
        (others[1], {"title": "On time", "go_live_at": when + timedelta(minutes=2)}),
    ):
        draft_of(row, **changes).publish()
    with time_machine.travel(when + timedelta(hours=1), tick=False):
        with pytest.raises(NotAllPublished, match="1 of what was due"):
            publish_scheduled(0)
        assert Lesson.objects.get(pk=lesson.pk).slug == "wanted"
        assert Lesson.objects.get(pk=others[0].pk).slug == "cool-down"
        assert Lesson.objects.get(pk=others[1].pk).title == "On time"


def test_an_address_that_a_scheduled_draft_will_have_is_taken(sam: Person, lesson: Lesson) -> None:
    draft_of(another("cool-down"), slug="wanted", go_live_at=timezone.now() + timedelta(days=1)).publish()
    answer = sam.saves(lesson, slug="wanted")
    assert "is about to get this address" in told(answer)


def test_a_draft_is_shown_to_whoever_may_read_drafts(sam: Person, physio: Person, lesson: Lesson) -> None:
    revision = draft_of(lesson, title="Only a thought")
    url = reverse(f"{LESSON}:revisions_view", args=[lesson.pk, revision.pk])
    assert "Only a thought" in physio.client.get(url).text
    assert Person("front desk").client.get(url).status_code == 404
    assert Client().get(url).status_code == 302


def draft_of(lesson: Lesson, **changes: Any) -> Revision:
    draft = Lesson.objects.get(pk=lesson.pk).get_latest_revision_as_object()
    for name, value in changes.items():
        setattr(draft, name, value)
    return draft.save_revision()


def test_an_old_address_leads_to_the_new_one(lesson: Lesson) -> None:
    draft_of(lesson, slug="warm-up-first").publish()
    answer = Client().get("/learn/warm-up/")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/learn/warm-up-first/")
    draft_of(lesson, slug="warm-up").publish()
    assert Client().get("/learn/warm-up/").status_code == 200
    assert LessonRedirect.objects.values_list("slug", flat=True).get() == "warm-up-first"


class TestTwoSaves:
    """Each page says which version it began with; between that and its save there may be others."""

    def began_with(self, person: Person, lesson: Lesson) -> dict[str, str]:
        page = person.opens("edit", lesson.pk).context
        return {
            "loaded_revision_id": str(page["object"].latest_revision.pk),
            "loaded_revision_created_at": page["loaded_revision_created_at"],
        }

    def test_somebody_elses_is_not_overwritten_unseen(
        self, sam: Person, physio: Person, lesson: Lesson
    ) -> None:
        seen = self.began_with(sam, lesson)
        physio.saves(lesson, title="The physio's")
        sam.saves(lesson, title="Sam's, on top of it")

        answer = sam.saves(lesson, title="Sam's, from the page that is still open", **seen)

        assert answer.status_code == 200
        assert f"{physio.user} saved this meanwhile" in told(answer)
        lesson.refresh_from_db()
        assert lesson.latest_revision.as_object().title == "Sam's, on top of it"

    def test_what_the_page_saved_by_itself_just_before_is_ones_own(self, sam: Person, lesson: Lesson) -> None:
        seen = self.began_with(sam, lesson)
        sam.saves(lesson, title="Half a w", **seen)

        answer = sam.saves(lesson, title="Half a word", **seen)

        assert answer.status_code == 302, told(answer)
        lesson.refresh_from_db()
        assert lesson.latest_revision.as_object().title == "Half a word"


def test_going_back_makes_history_longer(physio: Person, lesson: Lesson) -> None:
    first = draft_of(lesson, title="First")
    draft_of(lesson, title="Second").publish()
    count = lesson.revisions.count()
    page = physio.client.get(reverse(f"{LESSON}:revisions_revert", args=[lesson.pk, first.pk]))
    assert page.status_code == 200
    assert 'value="First"' in page.text
    draft_of(lesson, title="First").publish(previous_revision=first)
    assert lesson.revisions.count() == count + 1
    assert Lesson.objects.get(pk=lesson.pk).title == "First"


def test_history_and_compare_show_what_changed(sam: Person, lesson: Lesson) -> None:
    first, second = draft_of(lesson, title="First"), draft_of(lesson, title="Second")
    assert sam.opens("history", lesson.pk).status_code == 200
    compared = sam.opens("revisions_compare", lesson.pk, first.pk, second.pk)
    assert compared.status_code == 200
    assert "First" in compared.text
    assert "Second" in compared.text


def test_what_was_shipped_is_brought_back_from_the_history(physio: Person, lesson: Lesson) -> None:
    shipped = Lesson.objects.get(slug="flat-feet")
    assert "Shipped by release" in told(physio.opens("history", shipped.pk))
    assert physio.saves(shipped, "action-publish", title="Not as shipped").status_code == 302
    page = physio.opens("history", shipped.pk)
    revert = reverse(f"{LESSON}:revisions_revert", args=[shipped.pk, shipped.live_revision_id])
    assert "Review this version" in told(page)
    assert revert in page.text
    assert 'value="Flat feet and sinking arches"' in physio.client.get(revert).text


BLANK: dict[str, dict[str, str]] = {
    "heading": {"text": "", "level": ""},
    "text": {"": "null"},
    "key_points": {"count": "0"},
    "callout": {"tone": "", "title": "", "text": ""},
    "drawing": {"drawing": "", "alt": "", "decorative": "on", "caption": ""},
    "picture": {"image": "", "alt": "", "decorative": "on", "caption": ""},
    "self_check": {"question": "", "options-count": "0", "answer": "", "why": ""},
    "lesson": {"": ""},
    "chain_link": {"": ""},
    "source": {"": ""},
}


def body_of(*blocks: tuple[str, dict[str, str]]) -> dict[str, str]:
    """A body of these blocks as the editor's script sends it."""
    data = {"body-count": str(len(blocks))}
    for place, (kind, fields) in enumerate(blocks):
        start = f"body-{place}"
        data |= {f"{start}-type": kind, f"{start}-order": str(place), f"{start}-deleted": ""}
        data |= {f"{start}-value{name and '-'}{name}": value for name, value in fields.items()}
    return data


def test_a_draft_may_leave_any_block_for_later(sam: Person, lesson: Lesson) -> None:
    assert set(BLANK) == set(BodyBlock().child_blocks)
    body = body_of(*BLANK.items())
    assert sam.saves(lesson, **body).status_code == 302
    form = sam.form(lesson) | body
    url = reverse(f"{LESSON}:preview_on_edit", args=[lesson.pk])
    assert sam.client.post(url, form).status_code == 200
    assert sam.client.get(url).status_code == 200


# A link of the text that its list of links does not have.
ASTRAY = json.dumps(
    {
        "blocks": [
            {
                "key": "a",
                "text": "x",
                "type": "unstyled",
                "depth": 0,
                "inlineStyleRanges": [],
                "entityRanges": [{"offset": 0, "length": 1, "key": 7}],
            }
        ],
        "entityMap": {},
    }
)


def test_a_form_that_no_page_of_ours_sends_is_refused(sam: Person, lesson: Lesson) -> None:
    form, url = sam.form(lesson), reverse(f"{LESSON}:edit", args=[lesson.pk])
    for junk in (
        {"body-count": "many"},
        {**body_of(("text", {"": ""})), "body-0-order": "first"},
        *(body_of(("text", {"": value})) for value in ("no JSON", "[]", ASTRAY)),
        body_of(("key_points", {"count": "x"})),
        body_of(("picture", {"image": "abc"})),
        body_of(("lesson", {"": "abc"})),
        {"author": "abc"},
        {"author": "\0"},
    ):
        assert sam.client.post(url, form | junk).status_code in (200, 400), junk
    lesson.refresh_from_db()
    assert not lesson.has_unpublished_changes


def test_a_null_in_the_key_points_is_named(sam: Person, lesson: Lesson) -> None:
    for name in ("key_points", "self_check"):
        answer = sam.saves(lesson, **{name: "A point\0"})
        assert answer.status_code == 200
        assert "Null characters are not allowed." in answer.text


def test_the_preview_is_the_real_page(sam: Person, lesson: Lesson) -> None:
    url = reverse(f"{LESSON}:preview_on_edit", args=[lesson.pk])
    data = {**sam.form(lesson), "title": "Only a thought"}
    assert sam.client.post(url, data).json()["is_valid"] is True
    shown = sam.client.get(url)
    assert "<h1" in shown.text
    assert "Only a thought" in shown.text
    assert "css/app.css" in shown.text
    assert shown.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    assert Client().get(url).status_code == 302


def test_what_a_rule_shows_stays(physio: Person, lesson: Lesson) -> None:
    used = Lesson.objects.get(slug="rolling-in")
    url = reverse(f"{LESSON}:unpublish", args=[used.pk])
    answer = physio.client.post(url, follow=True)
    assert "has to stay" in told(answer)
    assert "Foot rolling in may be loading the kneecap" in told(answer)
    assert Lesson.objects.get(pk=used.pk).live
    with pytest.raises(InUse):
        used.unpublish()
    with pytest.raises(InUse):
        used.delete()
    assert physio.client.post(reverse(f"{LESSON}:unpublish", args=[lesson.pk])).status_code == 302
    assert not Lesson.objects.get(pk=lesson.pk).live
    link = ChainLink.objects.get(slug="overpronation--shank-rotation")
    with pytest.raises(InUse, match="kneecap"):
        link.delete()


def test_a_category_with_lessons_stays(sam: Person, lesson: Lesson) -> None:
    category = Category.objects.get(slug="health")
    url = reverse("wagtailsnippets_education_category:delete", args=[category.pk])
    assert "referenced 18 times" in told(sam.client.get(url))
    assert sam.client.post(url, follow=True).status_code == 200
    ReferenceIndex.objects.all().delete()
    assert "It is in use, so it has to stay." in told(sam.client.post(url, follow=True))
    assert Category.objects.filter(pk=category.pk).exists()


def test_what_a_list_names_stays_and_its_uses_are_shown(sam: Person, lesson: Lesson) -> None:
    source = Source.objects.annotate(number=Count("lessons")).filter(number__gte=2).first()
    assert source is not None
    for name, row in (("source", source), ("chainlink", ChainLink.objects.filter(lessons__live=True)[0])):
        url = reverse(f"wagtailsnippets_education_{name}:delete", args=[row.pk])
        for answer in (sam.client.get(url, follow=True), sam.client.post(url, follow=True)):
            assert "has to stay" in told(answer)
            assert str(row.lessons.all()[0]) in told(answer)
        assert type(row).objects.filter(pk=row.pk).exists()
        uses = told(sam.client.get(reverse(f"wagtailsnippets_education_{name}:usage", args=[row.pk])))
        assert all(str(one) in uses for one in row.lessons.all())
    unused = Source.objects.create(code="S999", title="Nobody rests on it")
    assert "has to stay" not in told(
        sam.client.post(reverse("wagtailsnippets_education_source:delete", args=[unused.pk]), follow=True)
    )
    assert not Source.objects.filter(pk=unused.pk).exists()


def test_the_uses_of_a_lesson_name_related_lessons_links_and_rules(sam: Person, lesson: Lesson) -> None:
    used = Lesson.objects.get(slug="rolling-in")
    uses = told(sam.opens("usage", used.pk))
    for text in ("Foot rolling in may be loading the kneecap", "overpronation--shank-rotation"):
        assert text in uses
    assert all(str(other) in uses for other in used.related_from.all())
    lesson.related.add(used)
    lesson.save()
    assert "Warm up first" in told(sam.opens("usage", used.pk))


class TestAnAddressThatRulesKnow:
    @pytest.fixture
    def moved(self, physio: Person, lesson: Lesson) -> Lesson:
        """`rolling-in`, which rules name, at its new address."""
        used = Lesson.objects.get(slug="rolling-in")
        answer = physio.saves(used, "action-publish", slug="rolling")
        assert answer.status_code == 302, told(answer)
        return Lesson.objects.get(pk=used.pk, slug="rolling")

    def test_it_changes_and_the_old_one_leads_there(self, moved: Lesson) -> None:
        answer = Client().get("/learn/rolling-in/")
        assert (answer.status_code, answer.headers["Location"]) == (301, "/learn/rolling/")
        assert page_of(moved).status_code == 200
        assert quote(links=[], lessons=["rolling-in"]).lessons["rolling-in"] == LessonRef(
            moved.title, "/learn/rolling/"
        )

    def test_it_still_has_to_stay(self, physio: Person, moved: Lesson) -> None:
        answer = physio.client.post(reverse(f"{LESSON}:unpublish", args=[moved.pk]), follow=True)
        assert "Foot rolling in may be loading the kneecap" in told(answer)
        with pytest.raises(InUse):
            moved.delete()

    def test_no_other_lesson_gets_it(self, sam: Person, moved: Lesson, lesson: Lesson) -> None:
        answer = sam.saves(lesson, slug="rolling-in")
        assert "Foot rolling in may be loading the kneecap" in told(answer)
        assert sam.saves(Lesson.objects.get(pk=moved.pk), slug="rolling-in").status_code == 302

    def test_it_stays_while_readers_cannot_open_it(self, sam: Person, lesson: Lesson) -> None:
        Lesson.objects.filter(slug="rolling-in").update(live=False)
        answer = sam.saves(Lesson.objects.get(slug="rolling-in"), slug="rolling")
        assert "This is in use, so it has to stay" in told(answer)


def test_the_clinics_phone_is_checked_and_shows_everywhere(sam: Person, lesson: Lesson) -> None:
    url = reverse("wagtailsnippets_education_clinicinfo:edit", args=[1])
    form = sam.client.get(url).context["form"]
    data = {bound.html_name: bound.value() or "" for bound in form}
    assert "Start with + and the country code" in told(sam.client.post(url, {**data, "phone": "555 0142"}))
    sam.client.post(url, {**data, "phone": "+13105550199", "phone_display": "(310) 555-0199"})
    assert ClinicInfo.current().phone == "+13105550199"
    assert "(310) 555-0199" in page_of(lesson).text


def test_the_list_finds_words(sam: Person, lesson: Lesson, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        lesson.save()
    found = sam.client.get(reverse(f"{LESSON}:list"), {"q": "walk five min"})
    assert "Warm up first" in found.text
