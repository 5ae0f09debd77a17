"""A GET changes nothing, whatever its query says (R31). Every URL: `tests/architecture/test_requests.py`."""

from tests.architecture.conftest import World, world  # noqa: F401  # the fixture
from tests.integration.intake.tables import digests


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
