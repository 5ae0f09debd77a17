"""A GET changes nothing: no link, no prefetch, no crawler can do anything (R31)."""

from tests.architecture.conftest import World, world  # noqa: F401  # the fixture
from tests.architecture.test_urls import ROWS, path_of
from tests.architecture.urlconf import patterns
from tests.integration.intake.tables import digests


def test_looking_at_every_url_as_everybody_changes_nothing(world: World):  # noqa: F811
    before = digests()
    statuses = set()
    for pattern in patterns():
        path = path_of(pattern, ROWS[pattern.key], world)
        for actor, client in world.clients.items():
            statuses.add(client.get(path).status_code)
            if actor in ("nobody", "patient", "physio"):
                client.head(path)
                client.options(path)
        assert digests() == before, path
    assert statuses >= {200, 302, 403, 404, 405}


def test_queries_change_nothing_either(world: World):  # noqa: F811
    before = digests()
    client = world.clients["patient"]
    for query in (
        "?list=1",
        "?change=1",
        "?leave=1",
        "?switch=map",
        "?answer=understood",
        "?confirm=yes&key=x",
    ):
        for path in ("/intake/", "/intake/about/", "/intake/where/", "/intake/advice/", "/intake/check/"):
            client.get(path + query)
    assert digests() == before


def test_the_digest_would_show_a_change(world: World):  # noqa: F811
    before = digests()
    world.clients["patient"].post("/intake/about/", {"why.story": "changed"})
    changed = {table for table, value in digests().items() if value != before[table]}
    assert changed == {"intake_questionnaireresponse"}
