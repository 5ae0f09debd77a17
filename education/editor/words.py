"""How hard a text is to read, and where it claims more than a lesson may. Pure functions on texts."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

# Plain texts for patients: US school grade 8 or lower.
HARDEST_GRADE: Final = 8.0
# A cause or a cure that no source of ours supports, however it is said.
_CAUSE: Final = r"(?<!other )(?<!not a )\b(?:caus(?:e|es|ed|ing)|cur(?:e|es|ed|ing)|guarantee[sd]?)\b"
# What is said to be so for everybody.
_SURE: Final = (
    r"\b(?:definitely|certainly(?! worth)|undoubtedly|without (?:a |any )?doubt|prov(?:e|es|ed|en|ing)\b"
    r"(?![^.!?]*\bbut not\b))|\b100 ?(?:%|percent\b)"
)
_ALWAYS: Final = (
    r"\b(?:always(?! (?:move together|similar)\b)|never(?! (?:\w+ed|suits? (?:everybody|everyone))\b))\b"
)
# What is said to come. People may say what they will do: "your physio will help you choose".
_PROMISE: Final = (
    r"(?:\bwill|['’]ll) (?:(?:soon|also|always|\w+ly) )?"
    r"(?:fix|heal|end|stop|prevent|solve|remove|ease|relieve|improve|recover|vanish|disappear|go away|"
    r"get better|be (?:fine|gone|better|healed|cured|pain[- ]free))\b"
    r"|(?<!physio )(?<!we )(?<!they )\bwill (?:help|work)\b"
    r"|\b(?:won['’]t|will (?:not|never)) (?:hurt|harm|come back|return|get worse)\b"
)
_CERTAIN: Final = re.compile(
    f"(?P<cause>{_CAUSE})|(?P<promise>{_PROMISE})|(?P<sure>{_SURE})|(?P<frequency>{_ALWAYS})", re.IGNORECASE
)
# Words before it, in the same part of a sentence, that take the certainty back.
_DENIED: Final = re.compile(r"\b(?:nobody|no one|not|cannot|can['’]t|whether)\b[^,;:]*$", re.IGNORECASE)
# Words before it that say for whom or how often, and what the clinic says of its own ways.
_HEDGED: Final = re.compile(
    r"\b(?:many|some|few|may|might|can|could|usually|often|sometimes|we)\b[^;:]*$", re.IGNORECASE
)
# "Never ignore it": what to do, unlike "Always works".
_ADVICE: Final = re.compile(r"\W*(?:always|never) (?!\w+[^s]s\b)", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]*")
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
    """The words of certainty in texts, each once, as written. Advice, questions and doubt do not count."""
    sentences = (found.group() for text in texts for found in _SENTENCE.finditer(text))
    return list(dict.fromkeys(words for sentence in sentences for words in _certain(sentence)))


def _certain(sentence: str) -> Iterator[str]:
    for found in _CERTAIN.finditer(sentence):
        words, before = found.group(), sentence[: found.start()]
        denied = found.lastgroup != "cause" and _DENIED.search(before)
        softened = found.lastgroup == "frequency" and (
            sentence.endswith("?") or _HEDGED.search(before) or _ADVICE.match(sentence)
        )
        if not denied and not softened:
            yield words
