"""J9.1-J9.7: owners invite staff, change what they may do, and let them go; nobody gets in by an old link."""

import re
import time
import uuid
from datetime import timedelta
from email import message_from_bytes, policy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from clinic import roles
from clinic.door.stepup import PROVED_AT
from clinic.middleware import LINK_SECRET
from clinic.models import Session, StaffInvitation, User
from clinic.people import staff as people
from intake import audit, journey
from intake.audit import AuditEvent
from intake.patients import diary
from intake.patients.models import BookingEvent
from intake.review.decide import NotAllowed
from intake.review.models import Decision, Verdict
from intake.screening.models import Finding
from tests import factories
from tests.integration.intake.test_parallel import at_once

PEOPLE = "/staff/people/"
INVITE = "/staff/people/invite/"
GOOD = {
    "first_name": "Sam",
    "last_name": "Okafor",
    "password": "three wet stones",
    "again": "three wet stones",
}


def signed_in(user: User) -> Client:
    """A browser of somebody who has just given a factor."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[PROVED_AT] = time.time()
    session.save()
    return client


@pytest.fixture
def owner(db: None) -> User:
    user: User = factories.make_user("owner", first_name="Grace", last_name="Lin", email="lin@clinic.example")
    return user


@pytest.fixture
def page(owner: User) -> Client:
    return signed_in(owner)


def lines(start: str = "staff.") -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action__startswith=start).order_by("pk"))


def told(response: Any) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def invited(page: Client, email: str = "sam@example.org", role: str = "physio") -> StaffInvitation:
    assert page.post(INVITE, {"email": email, "role": role}).status_code == 303
    return StaffInvitation.objects.get(email=email, accepted_at=None, revoked_at=None)


def mails(folder: Path) -> list[Any]:
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("*")]
    return sorted(found, key=lambda mail: mail["To"])


def link_of(invitation: StaffInvitation, folder: Path) -> str:
    """The way to the account, out of the mail that the job sends."""
    for old in folder.glob("*") if folder.exists() else ():
        old.unlink()
    assert people.deliver_invitation(invitation_id=invitation.pk)
    [mail] = mails(folder)
    [found] = re.findall(r"https?://[^/]+(/staff/join/\S+/)", mail.get_content())
    return str(found)


# ---- the list


def test_the_list_says_who_works_here_and_who_is_invited(page: Client, owner: User):
    physio = factories.make_user("physio", first_name="Maya", last_name="Ortiz", is_active=False)
    physio.last_login = timezone.now()
    physio.save()
    ended = invited(page, "late@example.org", "editor")
    StaffInvitation.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    invited(page)
    answer = told(page.get(PEOPLE))
    for words in (
        "Grace Lin",
        "Owner",
        "You",
        "Maya Ortiz",
        "Left",
        "late@example.org",
        "Ended",
        "On its way",
    ):
        assert words in answer
    assert "The link works until" in answer


def test_what_changes_much_asks_for_a_fresh_factor(owner: User):
    client = Client()
    client.force_login(owner)
    other = factories.make_user("editor")
    for path in (
        INVITE,
        f"{PEOPLE}{other.pk}/",
        f"{PEOPLE}{other.pk}/remove/",
        f"{PEOPLE}{other.pk}/factor/",
    ):
        for answer in (client.get(path), client.post(path, {"role": "owner"})):
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/staff/prove/?next=")
    assert other.groups.get().name == "editor"


# ---- invitations


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("", "physio", "Enter an e-mail address."),
        ("sam@", "physio", "Enter an e-mail address like name@example.com."),
        ("sam@example.org", "", "Choose a role."),
        ("sam@example.org", "root", "Choose a role."),
        ("LIN@clinic.example", "physio", "Somebody with this e-mail address works here already."),
        ("waits@example.org", "editor", "This address is invited already. Send that invitation again."),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_beside_the_field(page: Client, email, role, words):
    invited(page, "waits@example.org")
    answer = page.post(INVITE, {"email": email, "role": role})
    assert answer.status_code == 200
    field = "role" if "role" in words else "email"
    assert answer.context["form"].errors[field] == [words]
    assert f'value="{email}"' in answer.text or not email
    assert StaffInvitation.objects.count() == 1


def test_an_invitation_is_mailed_and_made_an_account_once(page: Client, owner: User, mail_dir: Path):
    invitation = invited(page)
    assert invitation.expires_at - invitation.created_at == timedelta(hours=72)
    job = ProcrastinateJob.objects.get(task_name="send_staff_invitation")
    assert job.args == {"invitation_id": str(invitation.pk)}
    link = link_of(invitation, mail_dir)
    [mail] = mails(mail_dir)
    assert mail["To"] == "sam@example.org"
    assert "physio" not in mail.get_content()
    assert LINK_SECRET.sub(r"\1...", f"GET {link}") == "GET /staff/join/.../"

    browser = Client()
    asked = browser.get(link)
    assert asked.status_code == 200
    assert "sam@example.org" in told(asked)
    made = browser.post(link, GOOD)
    assert (made.status_code, made.headers["Location"]) == (303, "/staff/login/")
    assert "_auth_user_id" not in browser.session
    assert "Sign in as sam@example.org" in told(browser.get("/staff/login/"))

    user = User.objects.get(email="sam@example.org")
    assert user.check_password(GOOD["password"])
    assert (str(user), people.role_of(user)) == ("Sam Okafor", "physio")
    assert not user.is_superuser
    assert browser.login(username="sam@example.org", password=GOOD["password"])
    assert browser.post(link, GOOD).status_code == 404
    assert User.objects.filter(email="sam@example.org").count() == 1
    assert [line.action for line in lines()] == ["staff.invited", "staff.invitation-link", "staff.joined"]
    asked_line, _link, joined = lines()
    assert asked_line.objects_seen == {"staff-invitation": [str(invitation.pk)]}
    assert (asked_line.actor_id, asked_line.detail) == (str(owner.pk), {"role": "physio"})
    assert joined.objects_seen["staff"] == [str(user.pk)]


def test_the_name_to_sign_in_with_is_the_one_that_was_promised(page: Client, mail_dir: Path):
    link = link_of(invited(page, "Pat.Reed@Clinic.Example"), mail_dir)
    browser = Client()
    [promised] = re.findall(r"You will sign in as\s+(\S+?) ?\.\s", told(browser.get(link)))
    assert promised == "pat.reed@clinic.example"
    assert browser.post(link, GOOD).status_code == 303
    assert f"Sign in as {promised}." in told(browser.get("/staff/login/"))
    for typed in (promised, " Pat.Reed@Clinic.Example "):
        answer = Client().post("/staff/login/", {"username": typed, "password": GOOD["password"]})
        assert answer.status_code == 302
    assert f"Sam Okafor {promised} " in told(page.get(PEOPLE))
    assert "Pat.Reed@Clinic.Example" not in told(page.get(PEOPLE))
    user = User.objects.get(username=promised)
    assert f"Signs in as {promised}." in told(page.get(f"{PEOPLE}{user.pk}/"))
    answer = page.post(INVITE, {"email": "PAT.reed@clinic.example", "role": "physio"})
    assert answer.context["form"].errors["email"] == ["Somebody with this e-mail address works here already."]


def test_the_list_shows_the_address_beside_another_name(page: Client, owner: User):
    User.objects.filter(pk=owner.pk).update(username="grace")
    assert "Grace Lin grace lin@clinic.example" in told(page.get(PEOPLE))


def test_a_scanner_that_follows_the_link_uses_nothing_up(page: Client, mail_dir: Path):
    invitation = invited(page)
    link = link_of(invitation, mail_dir)
    before = StaffInvitation.objects.filter(pk=invitation.pk).values().get(), AuditEvent.objects.count()
    for _ in range(10):
        scanner = Client()
        assert scanner.get(link).status_code == 200
        assert scanner.head(link).status_code == 200
        assert scanner.options(link).status_code == 405
    assert (
        StaffInvitation.objects.filter(pk=invitation.pk).values().get(),
        AuditEvent.objects.count(),
    ) == before
    assert Session.objects.count() == 1
    assert Client().post(link, GOOD).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"password": "short", "again": "short"}, "password", "at least 12"),
        ({"password": "password1234", "again": "password1234"}, "password", "too common"),
        ({"password": "sam@example.org", "again": "sam@example.org"}, "password", "too similar"),
        ({"password": "x" * 129, "again": "x" * 129}, "password", "128 characters or fewer"),
        ({"again": "three dry stones"}, "again", "differ"),
        ({"first_name": " "}, "first_name", "Enter the first name."),
        ({"last_name": "x" * 151}, "last_name", "at most 150"),
        ({"first_name": "a\x00b"}, "first_name", "Null"),
    ],
)
def test_a_weak_password_is_refused_and_the_name_kept(page: Client, mail_dir: Path, typed, field, words):
    link = link_of(invited(page), mail_dir)
    answer = Client().post(link, {**GOOD, **typed})
    assert answer.status_code == 200
    assert any(words in error for error in answer.context["form"].errors[field])
    assert 'value="Sam"' in answer.text or "first_name" in typed
    assert GOOD["password"] not in answer.text
    assert not User.objects.filter(email="sam@example.org").exists()


def test_every_link_that_opens_nothing_answers_alike(page: Client, mail_dir: Path):
    used, over, back, again = (
        link_of(invited(page, f"{name}@example.org"), mail_dir) for name in ("used", "over", "back", "again")
    )
    assert Client().post(used, GOOD).status_code == 303
    of = {row.email.split("@")[0]: row for row in StaffInvitation.objects.all()}
    StaffInvitation.objects.filter(pk=of["over"].pk).update(expires_at=timezone.now())
    page.post(f"{PEOPLE}invitations/{of['back'].pk}/take-back/")
    page.post(f"{PEOPLE}invitations/{of['again'].pk}/again/")
    answers = []
    for link in (used, over, back, again, "/staff/join/nobody-made-this/"):
        for answer in (Client().get(link), Client().post(link, GOOD)):
            answers.append((answer.status_code, answer.content))
    assert {status for status, _body in answers} == {404}
    assert len({body for _status, body in answers}) == 1
    assert User.objects.filter(email__endswith="@example.org").count() == 1


def test_sent_again_the_new_link_works_and_has_its_whole_time(page: Client, mail_dir: Path):
    invitation = invited(page)
    old = link_of(invitation, mail_dir)
    StaffInvitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - timedelta(days=9))
    assert page.post(f"{PEOPLE}invitations/{invitation.pk}/again/").status_code == 303
    new = link_of(invitation, mail_dir)
    assert Client().get(old).status_code == 404
    invitation.refresh_from_db()
    assert invitation.expires_at > timezone.now() + timedelta(hours=71)
    assert Client().post(new, GOOD).status_code == 303
    for way in ("again", "take-back"):
        assert page.post(f"{PEOPLE}invitations/{invitation.pk}/{way}/").status_code == 404
        assert page.post(f"{PEOPLE}invitations/{uuid.uuid4()}/{way}/").status_code == 404
    assert [line.action for line in lines() if "link" not in line.action] == [
        "staff.invited",
        "staff.invited-again",
        "staff.joined",
    ]


def test_taken_back_no_mail_leaves(page: Client):
    invitation = invited(page)
    page.post(f"{PEOPLE}invitations/{invitation.pk}/take-back/")
    assert people.deliver_invitation(invitation_id=invitation.pk) is False
    assert lines()[-1].action == "staff.invitation-taken-back"
    invited(page)


def test_only_the_hash_of_a_link_is_kept(page: Client, mail_dir: Path):
    invitation = invited(page)
    token = link_of(invitation, mail_dir).split("/")[-2]
    assert len(token) >= 43
    row = StaffInvitation.objects.filter(pk=invitation.pk).values().get()
    assert len(row["token_hash"]) == 32
    kept = str(list(StaffInvitation.objects.values())) + str(list(AuditEvent.objects.values()))
    assert token not in kept + str(list(ProcrastinateJob.objects.values()))


# ---- changes


def change(page: Client, user: User, **typed: str) -> Any:
    data = {"first_name": user.first_name, "last_name": user.last_name, "title": user.title}
    data["role"] = people.role_of(user)
    return page.post(f"{PEOPLE}{user.pk}/", {**data, **typed})


def test_a_new_role_counts_at_the_next_request_of_an_open_session(page: Client, owner: User):
    user = factories.make_user("editor")
    user.user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    client = signed_in(user)
    assert client.get("/staff/intake/evaluation/").status_code == 404
    assert change(page, user, role="physio").status_code == 303
    assert client.get("/staff/intake/evaluation/").status_code == 200
    assert client.get("/staff/education/subscriber/").status_code == 404
    [line] = lines()
    assert (line.action, line.detail) == ("staff.role-changed", {"old": "editor", "new": "physio"})
    assert line.objects_seen == {"staff": [str(user.pk)]}


def test_a_new_name_is_written_down_with_the_old_one(page: Client):
    user = factories.make_user("physio", first_name="Maya", last_name="Ortiz")
    assert change(page, user, last_name="Ortiz-Bell", title="Dr.").status_code == 303
    assert User.objects.get(pk=user.pk).formal_name == "Dr. Ortiz-Bell"
    [line] = lines()
    assert line.action == "staff.renamed"
    assert (line.detail["old"]["last_name"], line.detail["new"]["last_name"]) == ("Ortiz", "Ortiz-Bell")
    user.refresh_from_db()
    assert change(page, user).status_code == 303
    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"first_name": ""}, "first_name"), ({"title": "x" * 21}, "title"), ({"role": "?"}, "role")],
)
def test_a_change_that_cannot_be_kept_is_said_beside_its_field(page: Client, typed, field):
    user = factories.make_user("editor")
    answer = change(page, user, last_name="Typed", **typed)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert "Typed" in answer.text
    assert lines() == []


def test_nobody_changes_their_own_role_or_factor(page: Client, owner: User):
    assert "role" not in page.get(f"{PEOPLE}{owner.pk}/").context["form"].fields
    change(page, owner, role="physio")
    with pytest.raises(NotAllowed):
        people.change_role(user=owner, role="physio", by=audit.staff(owner))
    assert "Ask another owner" in told(page.post(f"{PEOPLE}{owner.pk}/factor/"))
    assert people.role_of(owner) == "owner"


def test_the_last_owner_stays_and_reads_why_before_pressing(page: Client, owner: User):
    path = f"{PEOPLE}{owner.pk}/remove/"
    asked = page.get(path)
    assert "You are the last owner, so you cannot leave." in told(asked)
    assert 'method="post"' not in asked.text.split("<main")[1]
    refused = page.post(path)
    assert "This is the last owner." in told(refused)
    assert User.objects.get(pk=owner.pk).is_active


def test_an_owner_who_leaves_is_spoken_to_as_herself(page: Client, owner: User):
    factories.make_user("owner")
    assert "Leave the clinic" in told(page.get(f"{PEOPLE}{owner.pk}/"))
    asked = told(page.get(f"{PEOPLE}{owner.pk}/remove/"))
    assert "Only another owner can let you back in." in asked
    assert "No review and no visit waits for you." in asked
    assert "They " not in asked
    gone = page.post(f"{PEOPLE}{owner.pk}/remove/")
    assert (gone.status_code, gone.headers["Location"]) == (303, "/staff/login/")
    assert "Your account is out of use." in told(page.get("/staff/login/"))
    assert page.get(PEOPLE).status_code == 302


def test_of_somebody_else_the_words_are_about_them(page: Client):
    user = factories.make_user("editor", first_name="Noor", last_name="Haddad")
    asked = told(page.get(f"{PEOPLE}{user.pk}/remove/"))
    assert "Remove Noor Haddad They can no longer sign in" in asked
    assert "You can let them back in." in asked


def test_at_once_there_is_one_account_and_one_owner_stays(committed_db: None, mail_dir: Path):
    """A form that is sent four times, and two owners who demote each other."""
    first, second = factories.make_user("owner"), factories.make_user("owner")
    invitation = people.invite(email="sam@example.org", role="physio", by=audit.staff(first))
    link = link_of(invitation, mail_dir)
    answers = at_once(4, lambda _number: Client().post(link, GOOD).status_code)
    assert sorted(answers) == [303, 404, 404, 404]
    assert User.objects.filter(email="sam@example.org").count() == 1

    def demotes(number: int) -> str:
        by, user = ((first, second), (second, first))[number]
        try:
            people.change_role(user=user, role="editor", by=audit.staff(by))
        except NotAllowed:
            return "refused"
        return "changed"

    assert sorted(at_once(2, demotes)) == ["changed", "refused"]
    assert User.objects.filter(groups__name="owner", is_active=True).count() == 1


def test_whoever_is_no_owner_any_more_changes_nothing(owner: User):
    by = audit.staff(owner)
    owner.groups.set([Group.objects.get(name="editor")])
    with pytest.raises(NotAllowed):
        people.invite(email="sam@example.org", role="owner", by=by)
    assert not StaffInvitation.objects.exists()


def test_unknown_people_are_no_page(page: Client):
    for key in (0, 10**30):
        for way in ("", "remove/", "back/", "factor/"):
            assert page.get(f"{PEOPLE}{key}/{way}").status_code == 404
            assert page.post(f"{PEOPLE}{key}/{way}").status_code == 404


# ---- leaving


@pytest.fixture
def leaving(db: None) -> User:
    """A physio with three open reviews, of which two visits are to come, one of them decided on in part."""
    physio: User = factories.make_user("physio", first_name="Maya", last_name="Ortiz")
    for over in (True, False, False):
        evaluation = factories.make_evaluation(
            physio=physio,
            is_over=over,
            starts_at=timezone.now() + timedelta(hours=-30 if over else 40),
        )
        response = factories.make_response(factories.ROLLING_IN, evaluation=evaluation)
        with audit.audited("tests.made", by=factories.SETUP):
            diary.note(evaluation, BookingEvent.Kind.BOOKED, by=None)
    with audit.audited("tests.read", by=factories.SETUP):
        finding = Finding.objects.filter(response=response, rule__kind="chain").first()
    journey.decide_finding(
        response=finding.response_id, finding=finding.pk, decision=Decision.CONFIRMED, by=audit.staff(physio)
    )
    return physio


def test_a_physio_with_open_reviews_hands_them_over(page: Client, owner: User, leaving: User):
    other = factories.make_user("physio", first_name="Leo", last_name="Reyes")
    session = signed_in(leaving)
    asked = page.get(f"{PEOPLE}{leaving.pk}/remove/")
    assert "3 open reviews" in told(asked)
    assert "2 visits to come" in told(asked)
    assert "Lee" not in told(asked), "an owner reads no patient's name"
    refused = page.post(f"{PEOPLE}{leaving.pk}/remove/", {"tell": "on"})
    assert refused.context["form"].errors["to"] == ["Choose who takes over."]
    assert User.objects.get(pk=leaving.pk).is_active
    assert session.get("/staff/intake/evaluation/").status_code == 200

    done = page.post(f"{PEOPLE}{leaving.pk}/remove/", {"to": str(other.pk), "tell": "on"}, follow=True)
    assert "Maya Ortiz can no longer sign in. Leo Reyes has taken over." in told(done)
    assert session.get("/staff/intake/evaluation/").status_code == 302
    with audit.audited("tests.read", by=factories.SETUP):
        assert leaving.evaluations.count() == 0
        assert other.evaluations.count() == 3
        assert Verdict.objects.get().by_id == leaving.pk
        events = BookingEvent.objects.filter(kind="moved").values_list("physio", "by")
        assert list(events) == [(other.pk, owner.pk)] * 3
    assert ProcrastinateJob.objects.filter(task_name="tell_of_visit").count() == 2
    [line] = lines("work.handed-over")
    assert (line.detail["old"], line.detail["new"]) == (leaving.pk, other.pk)
    assert (line.detail["reviews"], line.detail["visits"]) == (3, 2)
    assert len(line.objects_seen["evaluation"]) == 3
    assert [one.action for one in lines()] == ["staff.deactivated"]


def test_a_physio_gets_another_role_once_nothing_waits(page: Client, leaving: User):
    other = factories.make_user("physio", first_name="Leo", last_name="Reyes")
    answer = change(page, leaving, role="editor")
    assert answer.context["form"].errors["role"][0].endswith("Hand those over first.")
    path = f"{PEOPLE}{leaving.pk}/hand-over/"
    assert "3 open reviews" in told(page.get(path))
    for wrong in ({}, {"to": str(leaving.pk)}, {"to": "later"}):
        assert page.post(path, wrong).context["form"].errors["to"] == ["Choose who takes over."]
    done = page.post(path, {"to": str(other.pk)}, follow=True)
    assert "Leo Reyes has taken over." in told(done)
    assert not ProcrastinateJob.objects.filter(task_name="tell_of_visit").exists()
    assert User.objects.get(pk=leaving.pk).is_active
    assert len(lines("work.handed-over")) == 1
    assert "No review and no visit waits" in told(page.post(path, {"to": str(other.pk)}, follow=True))
    assert change(page, leaving, role="editor").status_code == 303
    assert people.role_of(User.objects.get(pk=leaving.pk)) == "editor"


def test_nobody_is_handed_a_visit_where_they_have_one(page: Client, leaving: User):
    other = factories.make_user("physio", first_name="Leo", last_name="Reyes")
    with audit.audited("tests.read", by=factories.SETUP):
        last = leaving.evaluations.order_by("starts_at").last()
    factories.make_evaluation(physio=other, starts_at=last.starts_at)
    answer = page.post(f"{PEOPLE}{leaving.pk}/remove/", {"to": str(other.pk)})
    [error] = answer.context["form"].errors["to"]
    assert error.startswith("Leo Reyes has a visit on")
    assert User.objects.get(pk=leaving.pk).is_active
    with audit.audited("tests.read", by=factories.SETUP):
        assert leaving.evaluations.count() == 3
    assert lines() == []
    later = page.post(f"{PEOPLE}{leaving.pk}/remove/", {"to": "later"})
    assert later.status_code == 303
    assert not User.objects.get(pk=leaving.pk).is_active


def test_the_mail_about_another_physio_says_so(leaving: User, owner: User, mail_dir: Path):
    other = factories.make_user("physio", first_name="Leo", last_name="Reyes", title="Dr.")
    people.deactivate(user=leaving, to=other, by=audit.staff(owner))
    job = ProcrastinateJob.objects.filter(task_name="tell_of_visit").first()
    assert journey.tell_of_visit(
        evaluation_id=uuid.UUID(job.args["evaluation_id"]), sequence=job.args["sequence"]
    )
    [mail] = mails(mail_dir)
    words = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "Another physio sees you"
    assert "The time stays the same." in words
    assert "with Dr. Reyes" in words


def test_who_comes_back_signs_in_anew(page: Client):
    user = factories.make_user("editor")
    session = signed_in(user)
    assert page.post(f"{PEOPLE}{user.pk}/remove/").status_code == 303
    assert page.get(f"{PEOPLE}{user.pk}/remove/").status_code == 303
    assert not Client().login(username=user.username, password="correct horse battery")
    assert page.post(f"{PEOPLE}{user.pk}/back/").status_code == 303
    assert session.get("/staff/password_change/").status_code == 302, "the old session is gone"
    assert Client().login(username=user.username, password="correct horse battery")
    assert "in use already" in told(page.post(f"{PEOPLE}{user.pk}/back/"))
    assert [line.action for line in lines()] == ["staff.deactivated", "staff.reactivated"]
    assert [line.detail for line in lines()] == [{"role": "editor"}] * 2


def test_a_factor_that_is_reset_ends_the_sessions(page: Client):
    user = factories.make_user("physio")
    session = signed_in(user)
    answer = page.post(f"{PEOPLE}{user.pk}/factor/", follow=True)
    assert "asks for a new one" in told(answer)
    assert session.get("/staff/password_change/").status_code == 302
    [line] = lines()
    assert (line.action, line.objects_seen) == ("staff.factor-reset", {"staff": [str(user.pk)]})


def test_a_new_clinic_invites_its_first_owner(db: None, mail_dir: Path):
    with pytest.raises(CommandError, match="like name@"):
        call_command("invite_owner", "lin@")
    call_command("invite_owner", "first@example.org", stdout=StringIO())
    call_command("invite_owner", "lin@example.org", stdout=StringIO())
    [invitation] = people.pending()
    link = link_of(invitation, mail_dir)
    assert Client().post(link, GOOD).status_code == 303
    user = User.objects.get(email="lin@example.org")
    assert (people.role_of(user), user.is_superuser) == ("owner", False)
    with pytest.raises(CommandError, match="There is an owner already"):
        call_command("invite_owner", "second@example.org")
    assert {line.actor_id for line in lines("staff.invited")} == {"invite_owner"}


def test_accounts_and_invitations_cannot_be_deleted(page: Client):
    invitation = invited(page)
    for delete in (invitation.delete, StaffInvitation.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            delete()


def test_roles_are_what_the_code_says_and_nobody_is_a_superuser(db: None, settings: Any):
    from clinic import demo

    settings.DEMO = True
    demo.make_staff({})
    assert User.objects.filter(is_superuser=True).count() == 0
    assert not User.objects.filter(username__in=["admin", "root", "administrator"]).exists()
    assert {name for user in User.objects.all() for name in [people.role_of(user)]} == set(roles.NAMES)
    roles.sync()
    for role in roles.ROLES:
        held = Group.objects.get(name=role.name).permissions.values_list(
            "content_type__app_label", "codename"
        )
        assert {f"{app}.{codename}" for app, codename in held} == set(role.permissions)
    assert not set(roles.EMERGENCY) & set(roles.OWNER.permissions)
