"""Who asks: what is typed anew each time, and the drafts that are sent once."""

import pytest

from tests.bench.measure import BATCH, COUNTED, WARM_UP, drafts_needed
from tests.bench.operations import OPERATIONS
from tests.bench.people import CSRF, DRAFT, PATIENT, SESSION, SUBMIT, VARIED, VERDICT, People


@pytest.fixture
def people() -> People:
    people = People(drafts=["one", "two"])
    people.cookies[PATIENT] = {CSRF: "token", SESSION: "hers"}
    people.answers = {
        "pain": {"pain.now": ["2"], "pain.worst": ["6"]},
        SUBMIT: {"confirm": ["yes"]},
        VERDICT: {"do": ["confirm"]},
    }
    return people


def test_nobody_saves_the_same_twice_in_a_row(people: People) -> None:
    first, second = (people.fields("pain", number) for number in (9, 10))
    assert first == {"pain.now": ["9"], "pain.worst": ["6"]}
    assert second["pain.now"] == ["0"]
    assert people.fields(VERDICT, 1) == {"do": ["confirm"]}


def test_every_submission_has_a_key_of_its_own(people: People) -> None:
    keys = {people.fields(SUBMIT, number)["key"][0] for number in range(3)}
    assert len(keys) == 3


def test_every_draft_is_sent_by_its_own_patient_once(people: People) -> None:
    seen = []
    for _ in range(2):
        people.turn(DRAFT)
        people.turn(PATIENT)
        seen.append(people.headers(DRAFT, is_form=True)["Cookie"])
    assert sorted(seen) == [f"{CSRF}=token; {SESSION}=one", f"{CSRF}=token; {SESSION}=two"]
    assert people.cookies[PATIENT][SESSION] == "hers"
    with pytest.raises(IndexError):
        people.turn(DRAFT)


def test_a_run_gets_as_many_drafts_as_it_sends() -> None:
    submit = [operation for operation in OPERATIONS if operation.name == "submit"]
    assert drafts_needed(submit, rounds=2) == COUNTED + 3 * (WARM_UP + 1) + 2 * 3 * (BATCH + 1)
    assert drafts_needed([one for one in OPERATIONS if one not in submit], rounds=2) == 0


def test_only_what_a_page_asks_is_varied() -> None:
    saved = {ask.answers for operation in OPERATIONS for ask in operation.ours if ask.answers}
    assert VARIED.keys() == saved - {SUBMIT, VERDICT}
