"""What differs between two sets of answers, in the words of the form."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from intake.conditions import Answers
from intake.responses.answers import prune, read_answers
from intake.responses.compare import compare
from tests.unit.intake.answer_makers import answer_sets
from tests.unit.intake.shipped import definition

BEFORE: Answers = {
    "pain.now": (3,),
    "pain.regions.right": ("knee-front", "sole-arch"),
    "why.story": ("Sore on stairs.",),
    "consent.contact": (True,),
}


def changed(**answers: tuple) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    after = {**BEFORE, **{name.replace("__", "."): values for name, values in answers.items()}}
    return {one.link_id: (one.before, one.after) for one in compare(definition(), BEFORE, after)}


def test_the_same_answers_differ_in_nothing():
    assert changed() == {}


def test_only_what_changed_is_named_in_the_words_of_the_form():
    found = changed(pain__now=(7,), consent__contact=(False,))
    assert found == {
        "consent.contact": (("Yes",), ("No",)),
        "pain.now": (("3 out of 10",), ("7 out of 10",)),
    }


@pytest.mark.parametrize("after", [("sole-arch", "knee-front"), ("knee-front", "sole-arch")])
def test_the_order_of_ticks_is_no_difference(after):
    assert changed(pain__regions__right=after) == {}


def test_one_box_more_shows_the_whole_answer_before_and_after():
    (one,) = compare(
        definition(), BEFORE, {**BEFORE, "pain.regions.right": ("knee-front", "sole-arch", "knee-outer")}
    )
    assert len(one.before) == 2
    assert one.after[:2] == one.before
    assert one.side
    assert one.question != one.side


def test_an_answer_that_is_new_or_gone_has_an_empty_side():
    assert changed(pain__worst=(6,)) == {"pain.worst": ((), ("6 out of 10",))}
    assert changed(why__story=()) == {"why.story": (("Sore on stairs.",), ())}


def test_a_number_is_the_same_however_it_was_stored():
    assert compare(definition(), {"pain.now": (3,)}, {"pain.now": (Decimal("3"),)}) == ()


@given(answer_sets(definition()), answer_sets(definition()))
def test_it_is_in_the_order_of_the_form_and_the_same_both_ways(given_one: Any, given_other: Any):
    tree = definition()
    one, other = (prune(tree, read_answers(data)) for data in (given_one, given_other))
    there, back = compare(tree, one, other), compare(tree, other, one)
    order = [item.link_id for item in tree.questions()]
    places = [order.index(found.link_id) for found in there]
    assert places == sorted(places)
    assert [(f.link_id, f.before, f.after) for f in there] == [(f.link_id, f.after, f.before) for f in back]
    assert compare(tree, one, one) == ()
    assert {f.link_id for f in there} == {
        key for key in one.keys() | other.keys() if set(one.get(key, ())) != set(other.get(key, ()))
    }
