"""What a rule looks for, told in the words of the form."""

from __future__ import annotations

from intake.review.rule_words import Asked, RuleWords, Sign, rule_words
from tests.unit.intake.shipped import definition, rules


def told(rule_id: str) -> RuleWords:
    return rule_words(next(rule for rule in rules() if rule.id == rule_id), definition())


def test_what_has_to_be_there_is_asked_in_the_words_of_the_form() -> None:
    first = told("stiff-ankle-heel").needs[0]
    assert (first.points, first.any) == (0, False)
    assert first.asked == (Asked("Tap where it hurts.", "this side", "Under the heel; or Under the arch"),)


def test_of_several_ways_one_is_enough() -> None:
    words = told("weight-shift-heel")
    assert [sign.any for sign in words.needs] == [False, False, True]
    assert [one.side for one in words.needs[2].asked] == ["this side", "other side"]
    assert "; " in words.needs[0].asked[0].answer


def test_what_speaks_for_it_and_against_it_comes_with_points() -> None:
    words = told("weight-shift-heel")
    assert ("Says this leg is spared", 2) in [(sign.name, sign.points) for sign in words.supports]
    assert ("Says the foot started first", 2) in [(sign.name, sign.points) for sign in words.against]
    assert (words.threshold, words.sided) == (4, True)


def test_every_shipped_rule_can_be_told() -> None:
    links = {item.link_id for item in definition().questions()}
    for rule in rules():
        words = rule_words(rule, definition())
        signs: tuple[Sign, ...] = (*words.needs, *words.supports, *words.against)
        assert signs
        for sign in signs:
            assert sign.asked
            for one in sign.asked:
                assert one.answer
                assert one.question not in links
