"""How hard a text is to read, and where it claims more than a lesson may. Pure functions on texts."""

import re
from collections.abc import Iterable
from typing import Final

# Plain texts for patients: US school grade 8 or lower.
HARDEST_GRADE: Final = 8.0
# A promise or a certainty that no source of ours supports.
CERTAIN: Final = re.compile(
    r"(?<!other )(?<!not a )\b(caus(?:e|es|ed|ing)|cur(?:e|es|ed|ing)|guarantee[sd]?|will fix)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’]*")
_SENTENCE_END: Final = re.compile(r"[.!?:]+(?:\s|$)")
_VOWELS: Final = re.compile(r"[aeiouy]+")


def grade(texts: Iterable[str]) -> float:
    """The US school grade of texts (Flesch-Kincaid: 0.39 words a sentence + 11.8 syllables a word - 15.59).

    0.0 for no words.
    """
    sentences = syllables = words = 0
    for text in texts:
        found = _WORD.findall(text)
        words += len(found)
        syllables += sum(map(syllables_of, found))
        sentences += max(1, len(_SENTENCE_END.findall(text))) if found else 0
    if not words:
        return 0.0
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59


def syllables_of(word: str) -> int:
    """About how many syllables an English word has, at least 1."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    found = len(_VOWELS.findall(letters))
    silent_end = letters.endswith(("e", "es", "ed")) and not letters.endswith(
        ("le", "les", "ted", "ded", "ses", "ces", "ges", "xes", "zes", "ches", "shes")
    )
    return max(1, found - (1 if silent_end and found > 1 else 0))


def certain_words(texts: Iterable[str]) -> list[str]:
    """The words of certainty in texts, each once, as written."""
    return list(dict.fromkeys(match.group() for text in texts for match in CERTAIN.finditer(text)))
