"""The shipped lessons as texts: their length, how hard they are to read, and what they may and must say."""

import json
import re
from itertools import chain as joined
from pathlib import Path
from typing import Any

import pytest
import textstat

CATALOG = Path(__file__).resolve().parents[2] / "education" / "catalog"
LESSONS: dict[str, dict[str, Any]] = {
    entry["slug"]: entry for entry in json.loads((CATALOG / "lessons.json").read_text("utf-8"))["lessons"]
}
CHAIN: dict[str, Any] = json.loads((CATALOG / "chain.json").read_text("utf-8"))
LINKS: dict[str, dict[str, Any]] = {link["id"]: link for link in CHAIN["links"]}
SOURCES: dict[str, dict[str, Any]] = {source["id"]: source for source in CHAIN["sources"]}
# General knowledge, to be confirmed by the clinic: nothing a reader can open.
UNSOURCED = {"GK"}

# What a lesson must not say: no certainty, no promise, nothing about the reader's own body.
NEVER = [
    r"caus(?:e|es|ed|ing)\b",
    r"you have\b",
    r"you've\b",
    r"cur(?:e|es|ed)\b",
    r"guarante",
    r"will fix\b",
    r"diagnos",
    r"risk",
    r"likely\b",
    r"article\b",
]

# How sure we are, in a reader's words, by the evidence grade of the link.
SURE = {
    "strong": r"\bclear(?:ly|est)?\b",
    "moderate": r"\bfairly (?:good|well)\b",
    "limited": r"\bonly a few studies\b|\bproof is thin\b|\bthin proof\b",
    "conflicting": r"\bstudies disagree\b",
    "expert": r"\breasoning\b",
}
# What narrows a grade, in a reader's words, by the evidence note of the link.
NARROWED = {
    "small effect": r"\beffect was only small\b",
    "small benefit": r"\bbenefit is small\b",
    "an association, not a proven cause": r"\ba pattern, not proof\b",
    "that it happens, not that it harms": (
        r"\bhappens\b.*\bnot\b|\bharms\b.*\bnot proven\b|\bsince we found no\b"
    ),
    "mechanism only": r"\blaboratory\b|\bthe beginning is\b",
    "by definition": r"\bsame measurements\b",
    "strong for the quadriceps, limited for the hamstrings": (
        r"\bclear\b.*\bmuscles behind the thigh there are only a few\b"
    ),
    "theory with some lab support": r"\bsome laboratory support\b",
    "limited to moderate": r"\bproof is thin\b",
    "general knowledge": r"\bexperience\b",
}

# How a text speaks about a part of the chain.
NAMES = {
    "ankle": r"\bankle",
    "ankle-stiffness": r"\bstiff ankle|ankle is stiff|ankle cannot bend",
    "arch-high": r"\bhigh arch",
    "arch-low": r"\blow arch|arch (?:of .{0,20})?may (?:also be sinking|sink)|flattest feet|arches are low",
    "foot-outer-edge": r"\bouter edge",
    "foot-overuse": r"\bfoot and ankle\b|\bankle and foot\b",
    "foot-strength": r"\bfoot strength|strength.*foot and ankle",
    "footwear": r"\bshoe",
    "gait-stiff": r"\bstiff",
    "hip-control": r"\bhip\b",
    "knee": r"\bknee",
    "knee-front": r"\bkneecap\b|\bfront of her knee\b",
    "knee-inner": r"\binner knee\b|\binner side\b",
    "knee-outer": r"\bouter (?:side of the )?knee\b|\bouter side\b",
    "knee-trigger": r"\bold injury\b.*\barthritis\b.*\btraining\b",
    "leg-fatigue": r"\btired\b|\bexhausted\b",
    "load-jump": r"\btoo much\b",
    "movement-habits": r"\bsquatting\b.*\bwalking\b.*\brunning\b",
    "overpronation": r"\broll(?:s|ing) in\b",
    "oversupination": r"\bouter (?:side|edge)\b",
    "plantar-fascia": r"\bplantar fasci",
    "rearfoot": r"\bheel\b",
    "shank-rotation": r"\bshin turns inward\b",
    "shin": r"\binner shin\b",
    "thigh-muscles": r"\bthigh\b.*\bmuscle",
    "thigh-rotation": r"\bthigh\b",
    "tib-post": r"\btendon at the inner ankle\b",
    "weight-shift": r"\blean (?:on|toward) the other leg\b",
}

# Every teaching point of the clinic's own text: (lesson, its points of `articlePoints`, words that teach it).
# The numbers are those of the coverage list; rows that only ask for a page, a form or a setting are not here.
TAUGHT = {
    "S06": ("one-connected-chain", ["intro"], r"\bchain\b"),
    "S07": ("one-connected-chain", ["intro"], r"foot trouble a knee\?.*knee trouble a foot\?"),
    "S08": ("one-connected-chain", ["kinetic chain"], r"kinetic chain.*hip.*knee.*ankle.*foot"),
    "S09": ("one-connected-chain", ["kinetic chain"], r"walking, running, jumping or squatting"),
    "S10": ("one-connected-chain", ["compensation over time"], r"months.*strain, pain or an injury"),
    "S11": (
        "feet-as-foundation",
        ["feet as foundation", "how it lands shapes what happens above"],
        r"rolls in.*stays stiff.*sinking arch.*high, stiff arch",
    ),
    "S12": (
        "rolling-in",
        ["overpronation", "lower leg rotates inward", "patellofemoral pain", "IT band syndrome"],
        r"overpronation.*shin turns inward.*patellofemoral.*IT band",
    ),
    "S13": (
        "rolling-out",
        ["oversupination", "foot too rigid to absorb shock", "pain on the outer side of the knee"],
        r"oversupination.*absorb.*outer side of the knee",
    ),
    "S14": (
        "flat-feet",
        ["flat feet or collapsed arches", "less support and stability", "knee picks up the slack", "overuse"],
        r"support.*stable.*take over.*overuse.*collapse",
    ),
    "S15": (
        "high-arches",
        [
            "high arches",
            "too much arch is a problem too",
            "don't adapt to the ground",
            "stress and imbalance",
        ],
        r"too high.*hardly adapts.*stress.*uneven",
    ),
    "S16": ("feet-as-foundation", ["knees pay the price"], r"bill for the knee"),
    "S17": (
        "knee-changes-feet",
        [
            "works the other way too",
            "old injury, arthritis, overtraining",
            "you change how you move",
            "load shifts to foot and ankle",
        ],
        r"old injury.*arthritis.*training.*protects.*foot and ankle",
    ),
    "S18": (
        "shifting-weight",
        [
            "shifting weight",
            "avoid the painful side",
            "lean into the opposite leg",
            "roll your foot differently",
            "fatigue, plantar fasciitis, collapsing arches",
        ],
        r"other leg.*outer edge.*exhausted.*plantar fasciitis.*arch.*sinking",
    ),
    "S19": (
        "stiff-knee-walk",
        [
            "altered gait",
            "less knee bend changes the stride",
            "stiff gait puts odd pressure on feet and ankles",
        ],
        r"straight knee.*shorter, stiffer.*altered gait.*pressure in unusual places",
    ),
    "S20": (
        "weak-thighs-busy-feet",
        [
            "weakened muscles",
            "quad and hamstring strength drops",
            "foot and ankle work overtime",
            "overuse injuries",
        ],
        r"quadriceps.*hamstrings.*ankle and foot.*overuse",
    ),
    "S21": ("two-stories", ["entire system"], r"Ana.*Ben.*both stories"),
    "S22": (
        "two-stories",
        ["real-world example: flat feet to knee"],
        r"First, her arch.*Second, .*foot rolls in.*Third, her shin.*Fourth, her thigh.*Fifth, her knee",
    ),
    "S23": (
        "two-stories",
        ["real-world example: chronic knee to foot"],
        r"many years.*outer edge.*arch.*plantar fasciitis.*ankle",
    ),
    "S24": ("two-stories", ["entire system"], r"never look for a single guilty joint"),
    "S25": ("treat-whole-chain", ["look past the sore spot"], r"rid of the pain.*move better for many years"),
    "S26": (
        "treat-whole-chain",
        ["treat every joint of the chain", "check hips, knees, ankles and feet for the cause"],
        r"hips, knees, ankles and feet",
    ),
    "S27": (
        "build-strength",
        ["strength", "glutes and hips steer the knee", "strengthening foot and ankle", "mobility work"],
        r"glutes.*foot and ankle.*Flexibility",
    ),
    "S28": (
        "shoes-and-insoles",
        ["footwear", "only part of the answer", "orthotics, shoe changes", "part of a bigger plan"],
        r"orthotic.*part of a bigger plan.*strength",
    ),
    "S29": (
        "move-better",
        ["move better", "learn squat, walk or run mechanics", "small tweaks take pressure off"],
        r"squatting.*walking.*running.*pressure.*feet",
    ),
    "S30": (
        "follow-the-chain",
        ["follow the chain, not only the pain", "zoom out"],
        r"signal.*entire picture.*Following the chain",
    ),
    "S31": ("follow-the-chain", ["runner, lifter, weekend warrior"], r"running, lifting, weekend"),
    "S32": ("follow-the-chain", ["lasting results"], r"It moves as one\.$"),
    "S34": ("follow-the-chain", ["schedule your evaluation"], r"at your visit"),
    "overtraining": ("exercise-safely", ["overtraining", "overuse"], r"overuse or overtraining"),
}

every_lesson = pytest.mark.parametrize("slug", LESSONS)


def body(slug: str) -> str:
    text: str = LESSONS[slug]["body"]
    return text


def headings(slug: str) -> list[str]:
    return [text.removeprefix("## ") for text in body(slug).split("\n\n") if text.startswith("## ")]


def paragraphs(slug: str) -> list[str]:
    return [text for text in body(slug).split("\n\n") if not text.startswith("## ")]


def sentences(slug: str) -> list[str]:
    return [
        sentence for text in paragraphs(slug) for sentence in re.split(r"(?<=[.!?])[\"”)]?\s+", text.strip())
    ]


def words(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]*|[a-z]+(?:'[a-z]+)?", text.lower())


def grade(slug: str) -> float:
    """The US school grade of the paragraphs (Flesch-Kincaid, syllables from a pronouncing dictionary)."""
    found: float = textstat.flesch_kincaid_grade(" ".join(paragraphs(slug)))
    return found


@every_lesson
def test_a_body_is_long_enough_to_teach_and_short_enough_to_read(slug: str) -> None:
    assert 250 <= len(body(slug).replace("## ", "").split()) <= 500


@every_lesson
def test_a_body_is_paragraphs_under_two_to_four_headings(slug: str) -> None:
    blocks = body(slug).split("\n\n")
    assert 2 <= len(headings(slug)) <= 4
    assert all(block == block.strip() and "\n" not in block for block in blocks)
    assert blocks[0].startswith("## ")
    for block, below in zip(blocks, [*blocks[1:], "## "], strict=True):
        assert not (block.startswith("## ") and below.startswith("## ")), f"nothing below {block!r}"


@every_lesson
def test_a_body_reads_at_us_grade_six_to_eight(slug: str) -> None:
    assert 5.5 <= grade(slug) <= 8.9


@every_lesson
def test_sentences_are_short(slug: str) -> None:
    assert [sentence for sentence in sentences(slug) if len(sentence.split()) > 25] == []
    assert len(words(" ".join(paragraphs(slug)))) / len(sentences(slug)) <= 20


@every_lesson
def test_what_stands_around_a_body_is_no_harder(slug: str) -> None:
    """Summary, key points and self-check by themselves: short texts, where one long word weighs more."""
    lesson = LESSONS[slug]
    asked = [text for check in lesson["selfCheck"] for text in (check["question"], check["why"])]
    texts = [lesson["summary"], *(point for point in lesson["keyPoints"]), *asked]
    assert textstat.flesch_kincaid_grade(" ".join(texts)) <= 8.9


@every_lesson
def test_a_body_promises_nothing_and_names_no_illness_as_the_readers(slug: str) -> None:
    said = [
        match.group() for never in NEVER for match in re.finditer(rf"\b{never}", body(slug), re.IGNORECASE)
    ]
    assert said == []


@every_lesson
def test_a_body_speaks_to_the_reader(slug: str) -> None:
    assert re.search(r"\byou\b", body(slug))
    assert re.search(r"\bwe\b|\byour physio\b", body(slug), re.IGNORECASE)


@every_lesson
def test_a_lesson_says_what_may_be_noticed_and_when_not_to_wait(slug: str) -> None:
    assert re.search(r"\bnotice", body(slug), re.IGNORECASE)
    assert re.search(r"Do not wait for (?:a|your) visit if|Do not wait for it if", body(slug))
    assert re.search(r"call 911|medical care (?:today|the same day)|[Cc]all us", body(slug))


@every_lesson
def test_a_lesson_shows_both_directions(slug: str) -> None:
    """The knee is told from the foot and the foot from the knee, whichever the lesson is about."""
    assert re.search(r"\bfoot|\bfeet", body(slug))
    assert re.search(r"\bknee", body(slug))


@every_lesson
def test_a_lesson_says_how_sure_we_are_of_every_link_it_teaches(slug: str) -> None:
    grades = {LINKS[link]["evidenceGrade"] for link in LESSONS[slug]["links"]}
    missing = [name for name in grades if not re.search(SURE[name], body(slug), re.IGNORECASE)]
    assert missing == []
    assert re.search(r"how sure we are", " ".join(headings(slug)), re.IGNORECASE)


@pytest.mark.parametrize("link", [link for link in LINKS if LINKS[link]["evidenceNote"]])
def test_what_narrows_the_proof_of_a_link_is_said(link: str) -> None:
    assert re.search(NARROWED[LINKS[link]["evidenceNote"]], body(LINKS[link]["lesson"]), re.DOTALL)


@pytest.mark.parametrize("link", LINKS)
def test_the_lesson_of_a_link_lists_it_and_names_both_its_ends(link: str) -> None:
    lesson = LINKS[link]["lesson"]
    assert link in LESSONS[lesson]["links"]
    for end in (LINKS[link]["from"], LINKS[link]["to"]):
        assert re.search(NAMES[end], body(lesson), re.IGNORECASE | re.DOTALL), f"{lesson} does not name {end}"


@every_lesson
def test_what_a_lesson_teaches_rests_on_a_source_it_lists(slug: str) -> None:
    for link in LESSONS[slug]["links"]:
        sources = set(LINKS[link]["sources"]) - UNSOURCED
        assert not sources or sources & set(LESSONS[slug]["sources"]), link


@every_lesson
def test_every_number_comes_from_a_source_of_the_lesson_or_from_the_clinical_plan(slug: str) -> None:
    lesson = LESSONS[slug]
    origins = [SOURCES[code]["used"] for code in lesson["sources"]]
    origins += [lesson["summary"], *lesson["keyPoints"], "911"]
    known = set(joined.from_iterable(re.findall(r"\d+(?:\.\d+)?", text.replace(",", "")) for text in origins))
    said = re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d)", "", body(slug)))
    assert set(said) <= known


@pytest.mark.parametrize("row", TAUGHT)
def test_every_teaching_point_is_taught(row: str) -> None:
    slug, points, teaching = TAUGHT[row]
    assert set(points) <= set(LESSONS[slug]["articlePoints"])
    assert re.search(teaching, body(slug), re.DOTALL)


@every_lesson
def test_no_point_is_claimed_without_being_taught(slug: str) -> None:
    taught = {point for lesson, points, _ in TAUGHT.values() if lesson == slug for point in points}
    assert set(LESSONS[slug]["articlePoints"]) <= taught
