"""Search over live lessons: Postgres full text, and where that finds nothing, words spelled nearly alike.

The text vectors are made as one searches: for some tens of lessons that takes a few milliseconds, and no
index, trigger or column has to follow when a lesson's fields change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.search import SearchHeadline, SearchQuery, SearchRank, SearchVector
from django.db import connection
from django.db.models import F, TextField, Value
from django.db.models.functions import Concat

from education.lessons.models import Lesson
from education.lessons.reading import ENTRY, Entry

CONFIG: Final = "english"
LONGEST_QUERY: Final = 200
MOST_WORDS: Final = 12
MOST_HITS: Final = 50
# How alike two words must be, as the share of trigrams they have in common, to be one word misspelled.
ALIKE: Final = 0.4
# One slip changes most trigrams of a shorter word, so there slips are looked for letter by letter.
SHORT: Final = 7
# From the private use area: no keyboard types them and no text of ours has them.
OPEN, CLOSE = "\ue000", "\ue001"

VOCABULARY: Final = r"""
WITH vocabulary AS (
  SELECT word, count(DISTINCT id) AS lessons
  FROM education_lesson,
    regexp_split_to_table(
      lower(concat_ws(' ', title, lead, summary, body_text, key_points::text)), '[^[:alpha:]]+'
    ) AS word
  WHERE live AND length(word) > 2
  GROUP BY word
)
SELECT term, word, lessons, similarity(word, term)
FROM unnest(%s::text[]) AS term, vocabulary
WHERE similarity(word, term) >= %s
  OR (length(term) <= %s AND abs(length(word) - length(term)) <= 1)
"""
# Words and phrases that are to be left out.
WITHOUT: Final = re.compile(r'(?<!\S)-(?:"[^"]*"?|\S+)')


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a hit, and whether it is what was looked for."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A lesson that was found: its title and a passage, in pieces."""

    entry: Entry
    title: tuple[Piece, ...]
    passage: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """What was asked for (cleaned), and what was found.

    `instead` are the words that were searched where the asked ones found nothing; `some_words` says that no
    lesson has all of the words asked for, however they are spelled.
    """

    query: str
    hits: tuple[Hit, ...]
    instead: str = ""
    some_words: bool = False


def clean(query: str) -> str:
    """The query as one line without anything unprintable, `LONGEST_QUERY` characters at most."""
    printable = "".join(letter if letter.isprintable() else " " for letter in query[: LONGEST_QUERY * 5])
    return " ".join(printable.split())[:LONGEST_QUERY].strip()


def search(query: str) -> Results:
    """The lessons that fit, best first. Understands "quoted phrases", OR and -without, and never fails.

    One query where something fits, up to four where words have to be guessed.
    """
    asked = clean(query)
    if not asked:
        return Results("", ())
    if hits := _find(asked):
        return Results(asked, hits)
    without = " ".join(WITHOUT.findall(asked))
    wanted = re.sub(r"\bOR\b", " ", WITHOUT.sub(" ", asked)).lower()
    words = re.findall(r"[^\W\d_]{3,}", wanted)[:MOST_WORDS]
    alike = _alike(words)
    if not alike:
        return Results(asked, ())
    instead = " ".join(alike)
    changed = alike != words
    if changed and (hits := _find(f"{instead} {without}")):
        return Results(asked, hits, instead, some_words=len(alike) < len(words))
    if len(alike) > 1 and (hits := _find(" OR ".join(f"{word} {without}" for word in alike))):
        return Results(asked, hits, instead if changed else "", some_words=True)
    return Results(asked, ())


def is_one_slip(typed: str, meant: str) -> bool:
    """Whether one letter is missing, too much or another, or two neighbours changed places."""
    shorter = min(len(typed), len(meant))
    start = 0
    while start < shorter and typed[start] == meant[start]:
        start += 1
    end = 0
    while end < shorter - start and typed[-1 - end] == meant[-1 - end]:
        end += 1
    one, other = typed[start : len(typed) - end], meant[start : len(meant) - end]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def pieces(marked: str) -> tuple[Piece, ...]:
    """Text with `OPEN` and `CLOSE` around matches, taken apart; it never holds markup of its own."""
    found: list[Piece] = []
    for place, text in enumerate(re.split(f"[{OPEN}{CLOSE}]", marked)):
        if text:
            found.append(Piece(text, is_match=place % 2 == 1))
    return tuple(found)


def _find(words: str) -> tuple[Hit, ...]:
    query = SearchQuery(words, config=CONFIG, search_type="websearch")
    vector = (
        SearchVector("title", weight="A", config=CONFIG)
        + SearchVector("lead", "key_points", weight="B", config=CONFIG)
        + SearchVector("summary", weight="C", config=CONFIG)
        + SearchVector("body_text", weight="D", config=CONFIG)
    )
    text = Concat(F("summary"), Value(" "), F("body_text"), output_field=TextField())
    marks: dict[str, Any] = {"start_sel": OPEN, "stop_sel": CLOSE, "config": CONFIG}
    rows = (
        Lesson.objects.live()
        .annotate(vector=vector, rank=SearchRank(vector, query))
        .filter(vector=query)
        .annotate(
            marked_title=SearchHeadline("title", query, highlight_all=True, **marks),
            passage=SearchHeadline(
                text, query, max_words=30, min_words=15, max_fragments=2, fragment_delimiter=" … ", **marks
            ),
        )
        .order_by("-rank", "order", "slug")
        .values_list(*ENTRY, "marked_title", "passage")[:MOST_HITS]
    )
    return tuple(Hit(Entry(*row[: len(ENTRY)]), pieces(row[-2]), pieces(cut_out(row[-1]))) for row in rows)


def cut_out(passage: str) -> str:
    """A passage that says where it was cut from its sentence."""
    bare = passage.replace(OPEN, "").replace(CLOSE, "")
    before = "" if bare[:1].isupper() else "… "
    return f"{before}{passage}{'' if bare.endswith(('.', '?', '!')) else ' …'}"


def _alike(words: Sequence[str]) -> list[str]:
    """The lessons' own words nearest to these, those without a near one left out."""
    if not words:
        return []
    nearest: dict[str, tuple[Any, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(VOCABULARY, [list(dict.fromkeys(words)), ALIKE, SHORT])
        for term, word, lessons, likeness in cursor.fetchall():
            slipped = len(term) <= SHORT and is_one_slip(term, word)
            if slipped or likeness >= ALIKE:
                # Letters out of order are the commonest slip; of two words the one used more is likelier.
                swapped = slipped and sorted(term) == sorted(word)
                order = (word != term, not slipped, not swapped, -lessons if slipped else -likeness, word)
                nearest[term] = min(nearest.get(term, order), order)
    return [nearest[word][-1] for word in words if word in nearest]
