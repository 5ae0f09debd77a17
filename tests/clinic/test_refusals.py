"""What is not there, and what an address does not take: a page with words and a way on, not nothing."""

from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import ROLLING_IN, make_response, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "allow", "way"),
    [
        ("GET", "/intake/leave/", "POST", "/intake/"),
        ("GET", "/intake/change/", "POST", "/intake/"),
        ("DELETE", "/intake/", "GET, HEAD", "/intake/"),
        ("POST", "/learn/", "GET, HEAD", "/"),
    ],
)
def test_it_says_so_with_the_phone_and_a_way_on(client: Client, method, path, allow, way):
    response = client.generic(method, path)
    assert (response.status_code, response.headers["Allow"]) == (405, allow)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>This address is not a page</h1>" in response.text
    assert f'<a class="c-btn c-btn-2 c-btn-wide" href="{way}">' in response.text
    assert 'href="tel:+13105550142"' in response.text


def test_staff_are_led_to_their_pages():
    desk = Client()
    desk.force_login(make_user("front desk"))
    response = desk.get("/staff/logout/")
    assert response.status_code == 405
    assert 'href="/staff/">Go to the worklist' in response.text


def test_staff_read_one_page_for_what_is_nowhere_and_for_what_is_not_theirs():
    response = make_response(ROLLING_IN)
    physio = make_user("physio")
    review = "/staff/intake/questionnaireresponse/{}/review/"
    paths = {
        "front desk": [
            review.format(response.pk),
            review.format(uuid4()),
            f"/staff/intake/questionnaireresponse/{response.pk}/brief/",
            f"/staff/people/{physio.pk}/",
            "/staff/people/999999/",
            "/staff/no/such/page/",
            "/editor/",
        ],
        "editor": [review.format(response.pk), "/staff/intake/evaluation/", "/editor/no-such-page/"],
    }
    for role, addresses in paths.items():
        client = Client()
        client.force_login(make_user(role))
        answers = [client.get(path) for path in addresses]
        assert {answer.status_code for answer in answers} == {404}
        [page] = {answer.text for answer in answers}
        assert "the page is not for your role. Nothing was changed." in page
        assert 'href="/staff/">Go to the staff pages' in page
        assert "invitation" not in page


def test_elsewhere_and_for_everybody_else_it_speaks_to_patients(client: Client):
    desk = Client()
    desk.force_login(make_user("front desk"))
    pages = {
        desk.get("/learn/no-such-lesson/").text,
        client.get("/learn/no-such-lesson/").text,
        client.get("/intake/open/nobody-made-this/more/").text,
    }
    assert len(pages) == 1
    assert "If you came from your invitation" in pages.pop()


def test_who_asks_for_the_head_alone_gets_it(client: Client):
    response = client.head("/intake/leave/")
    assert (response.status_code, response.content) == (405, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/staff/intake/rule/?status__exact=draft%00",
        "/staff/intake/rule/?kind__exact=../../etc/passwd%00&q=%00",
        "/staff/education/subscriber/?status__exact=%00",
        "/staff/education/issue/?p=%00",
        "/learn/search/?q=heel%00",
    ],
)
def test_a_nul_in_what_an_address_asks_for_counts_as_absent(path: str):
    owner = Client()
    owner.force_login(make_user("owner"))
    assert owner.get(path, follow=True).status_code == 200
