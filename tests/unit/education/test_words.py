"""Which words of a lesson sound too certain, and which only look like it."""

import pytest

from education.catalog.load import read_catalog
from education.editor.words import certain_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A low arch causes pain.", ["causes"]),
        ("It cures a sore knee. We guarantee it.", ["cures", "guarantee"]),
        ("This always works.", ["always"]),
        ("Always works!", ["Always"]),
        ("Flat feet always hurt in the end.", ["always"]),
        ("After this your knee never hurts again.", ["never"]),
        ("Studies prove it, and it is proven.", ["prove", "proven"]),
        ("Your knee definitely starts at the foot.", ["definitely"]),
        ("It is certainly the foot.", ["certainly"]),
        ("It is undoubtedly so, without doubt.", ["undoubtedly", "without doubt"]),
        ("Your pain will go away.", ["will go away"]),
        ("The tendon will heal by itself.", ["will heal"]),
        ("You will soon get better.", ["will soon get better"]),
        ("You’ll be pain-free.", ["’ll be pain-free"]),
        ("New shoes will help.", ["will help"]),
        ("It won't come back, and it will never return.", ["won't come back", "will never return"]),
        ("It is 100 % safe, or 100% or 100 percent.", ["100 %", "100%", "100 percent"]),
    ],
)
def test_a_promise_is_named_as_written(text: str, words: list[str]) -> None:
    assert certain_words([text]) == words


@pytest.mark.parametrize(
    "text",
    [
        "A low arch can lead to pain.",
        "The sore spot is not always where it began.",
        "Many flat feet never hurt.",
        "You may always choose the same leg.",
        "Does one foot always tire first?",
        "Never ignore a swollen calf.",
        "Stop at once. Always ask your physio.",
        "That is why we always test both ends.",
        "Whether that harms the other foot is not proven.",
        "This proves that it happens, but not that it hurts.",
        "Nobody can promise that strength will end your pain.",
        "Your physio will help you choose, and we will work with you.",
        "Your physio will look at your ankle.",
        "Walk 100 meters.",
    ],
)
def test_advice_and_doubt_are_no_promise(text: str) -> None:
    assert certain_words([text]) == []


def test_no_shipped_lesson_sounds_certain() -> None:
    found = {
        slug: words
        for slug, entry in read_catalog()["lesson"].items()
        if (
            words := certain_words(
                [entry["title"], entry["lead"], entry["summary"], entry["body"], *entry["keyPoints"]]
            )
        )
    }
    assert found == {}


def test_a_word_is_named_once() -> None:
    assert certain_words(["It always works.", "It always works."]) == ["always"]
