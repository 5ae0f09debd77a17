"""What is cut from the brief and how, and the drawing of the chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.review.brief import clip
from intake.review.drawing import draw
from intake.review.places import End, Whereabouts


def place(way: str, source: End | None, target: End | None) -> Whereabouts:
    return Whereabouts("", way, "", "", source, target)


class TestClipping:
    @pytest.mark.parametrize(
        ("text", "limit", "shown"),
        [
            ("", 10, ""),
            ("sore knee", 9, "sore knee"),
            ("sore knee", 8, "sore…"),
            ("sore,  \n knee", 8, "sore…"),
            ("stairs are the worst", 12, "stairs are…"),
            ("x" * 30, 10, "x" * 9 + "…"),
            ("膝が痛い", 8, "膝が痛い"),
            ("膝が痛いです", 8, "膝が痛…"),
        ],
    )
    def test_between_words_where_it_can(self, text: str, limit: int, shown: str):
        words = clip(text, limit)
        assert str(words) == shown
        assert words.full == " ".join(text.split())
        assert words.cut is (shown.endswith("…"))

    @given(st.text(), st.integers(2, 60))
    def test_never_more_than_the_limit_and_never_a_second_line(self, text: str, limit: int):
        words = clip(text, limit)
        assert len(words.text) <= limit
        assert len(words.text.splitlines()) <= 1
        assert words.cut or words.text == words.full


class TestTheDrawing:
    def test_an_arrow_for_each_course_with_the_numbers_of_its_findings(self):
        up = place("up", End("foot", "right"), End("knee", "right"))
        across = place("down", End("knee", "right"), End("foot", "left"))
        drawn = draw(left=[], right=["knee-front"], findings=[(1, up), (2, across), (3, up)])
        assert [(arrow.way, arrow.label.text) for arrow in drawn.arrows] == [("up", "1, 3"), ("down", "2")]
        assert len(drawn.marked) == 1

    def test_what_the_front_does_not_show_is_said(self):
        drawn = draw(left=["knee-front", "sole-heel"], right=["calf", "knee-back"], findings=[])
        assert drawn.unseen == "Back: right knee, back; right calf. Soles: left foot, under the heel"
        assert draw(left=["knee-front"], right=[], findings=[]).unseen == ""

    def test_up_ends_above_where_it_starts_on_its_own_side_of_the_figure(self):
        for side in ("left", "right"):
            up = place("up", End("foot", side), End("knee", side))
            (arrow,) = draw(left=[], right=[], findings=[(1, up)]).arrows
            assert arrow.tip[1] < arrow.start[1]
            # The figure faces the reader: the right leg is on the left.
            assert (arrow.tip[0] < 179) is (side == "right")

    def test_one_from_leg_to_leg_ends_on_the_other(self):
        across = place("down", End("knee", "right"), End("foot", "left"))
        (arrow,) = draw(left=[], right=[], findings=[(1, across)]).arrows
        assert arrow.start[0] < 179 < arrow.tip[0]

    def test_what_stays_in_place_is_a_number_and_what_has_no_side_is_nothing(self):
        local = place("local", End("foot", "left"), End("foot", "left"))
        modifier = place("modifier", None, End("leg", "right"))
        nowhere = place("note", None, None)
        unsided = place("up", End("foot", None), End("knee", None))
        drawn = draw(left=[], right=[], findings=[(1, local), (2, modifier), (3, nowhere), (4, unsided)])
        assert [spot.text for spot in drawn.spots] == ["1", "2"]
        assert drawn.arrows == ()
