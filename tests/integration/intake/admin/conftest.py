"""Browsers of each role."""

import pytest
from django.test import Client

from tests import factories


@pytest.fixture
def physio(db):
    return factories.make_user("physio", first_name="Maya", last_name="Ortiz", title="Dr.")


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(physio) -> Client:
    """The physio's browser."""
    return browser(physio)


@pytest.fixture
def reception(db) -> Client:
    """The front desk's browser."""
    return browser(factories.make_user("front desk"))
