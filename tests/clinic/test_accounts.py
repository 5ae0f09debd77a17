"""Whoever is signed in comes with what they may do, read anew for every request."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.accounts import AccountBackend
from clinic.models import Session, User
from clinic.tasks import clear_sessions
from tests import factories

pytestmark = pytest.mark.django_db

WORKLIST = "admin:intake_evaluation_changelist"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", ["physio", "front desk", "editor", "owner"])
def test_the_same_permissions_as_django_reads(role):
    user = factories.make_user(role)
    user.user_permissions.add(Permission.objects.get(codename="view_subscriber"))
    found = AccountBackend().get_user(user.pk)
    assert found == user
    with CaptureQueriesContext(connection) as queries:
        assert found.get_all_permissions() == User.objects.get(pk=user.pk).get_all_permissions()
        own = len(queries)
        assert found.has_perm("education.view_subscriber")
    assert len(queries) == own


def test_a_superuser_has_them_all():
    user = User.objects.create_superuser("root", password="correct horse battery")
    assert AccountBackend().get_user(user.pk).has_perm("education.view_subscriber")


def test_nobody_and_whoever_may_not_sign_in_any_more():
    user = factories.make_user("physio")
    assert AccountBackend().get_user(0) is None
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert AccountBackend().get_user(user.pk) is None


def test_a_right_that_is_taken_away_is_gone_at_the_next_request():
    user = factories.make_user("physio")
    client = signed_in(user)
    assert client.get(reverse(WORKLIST)).status_code == 200
    user.groups.remove(Group.objects.get(name="physio"))
    assert client.get(reverse(WORKLIST)).status_code == 404
    user.groups.add(Group.objects.get(name="front desk"))
    answer = client.get(reverse(WORKLIST))
    assert answer.status_code == 200
    assert "Chain findings" not in answer.content.decode()


def test_what_a_role_may_do_is_code_and_not_what_a_table_says():
    user = factories.make_user("front desk")
    reviews = Permission.objects.get(codename="review_intake")
    Group.objects.get(name="front desk").permissions.add(reviews)
    Group.objects.create(name="friends").permissions.add(reviews)
    user.groups.add(Group.objects.get(name="friends"))
    assert not AccountBackend().get_user(user.pk).has_perm("intake.review_intake")


def test_a_session_that_has_ended_signs_nobody_in():
    client = signed_in(factories.make_user("physio"))
    client.session.flush()
    assert client.get(reverse(WORKLIST)).status_code == 302


def test_one_question_brings_the_session_and_who_it_is():
    client = signed_in(factories.make_user("physio"))
    client.get(reverse(WORKLIST))
    with CaptureQueriesContext(connection) as queries:
        assert client.get(reverse(WORKLIST)).status_code == 200
    about = [one["sql"] for one in queries if re.search('FROM "clinic_(session|user)"', one["sql"])]
    assert len(about) == 1


def test_the_name_in_the_data_counts_and_not_the_column():
    user, other = factories.make_user("physio"), factories.make_user("owner")
    client = signed_in(user)
    Session.objects.update(account=other)
    assert client.get(reverse(WORKLIST)).wsgi_request.user == user


def test_sessions_that_have_ended_are_cleared_at_night():
    here, gone = factories.make_user("physio"), factories.make_user("owner")
    for user in (here, gone):
        signed_in(user)
    Session.objects.filter(account=gone).update(expire_date=timezone.now())
    clear_sessions(0)
    assert [session.account for session in Session.objects.all()] == [here]
