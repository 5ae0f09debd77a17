"""What is measured, and what has to hold."""

from dataclasses import dataclass
from typing import Final

from tests.bench.people import DRAFT, FINDINGS, PATIENT, PHYSIO, SUBMIT, VERDICT

REVIEWS: Final = "/staff/intake/questionnaireresponse/"
LESSON: Final = "/learn/rolling-in/"
# What browsers say that they can unpack.
BROWSER: Final = "gzip, deflate, br"
PLAIN: Final = "identity"
# The servers that ours is measured beside: bare Django that does the same work, and the product itself
# without its audit trail and guard.
FLOOR: Final = "floor"
UNWATCHED: Final = "unwatched"


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request: a GET, or with `answers` (a page's slug) the POST of that page, filled in.

    encoding: its Accept-Encoding. again: with the ETag of an earlier answer. who: whose cookies it brings;
    those of `DRAFT` are another patient's at every request.
    """

    path: str
    encoding: str = BROWSER
    again: bool = False
    status: int = 200
    who: str = ""
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """What an operation has to hold; what is None or empty is only shown.

    ratio: CPU of ours by CPU of the floor, at most. queries: own statements, at most. commits: exactly.
    bytes: of the answers' bodies, at most; of a browser's view headers count too. requests: at most.
    ms: milliseconds of CPU, at most. cacheable: no cookie is set or looked at, and the answer has an ETag.
    lcp: when the largest part is painted, by the same of the floor's page, at most. shift: how much of the
    page moves while it loads (CLS), at most.
    lcp_shown: that bar is shown and never fails (ADR 0038).
    """

    ratio: float | None = None
    queries: int | None = None
    commits: int | None = None
    bytes: int | None = None
    requests: int | None = None
    ms: float | None = None
    lcp: float | None = None
    shift: float | None = None
    cacheable: bool = False
    lcp_shown: bool = False

    def __str__(self) -> str:
        limits = {
            "x": self.ratio,
            " ms": self.ms,
            " queries": self.queries,
            " bytes": self.bytes,
            " requests": self.requests,
            " shift": self.shift,
        }
        words = [f"<= {limit}{unit}" for unit, limit in limits.items() if limit is not None]
        if self.commits is not None:
            words.append(f"{self.commits} commits")
        if self.cacheable:
            words.append("no cookie, ETag")
        if self.lcp is not None:
            words.append(f"{'shown: ' if self.lcp_shown else ''}<= {self.lcp:g}x LCP")
        return ", ".join(words)


SHOWN: Final = Gate()


@dataclass(frozen=True, slots=True)
class Operation:
    """Something people do, as requests to ours and to the floor; both count as one operation.

    Where no floor says more than milliseconds do, it has none. beside: which server the floor is.
    """

    name: str
    ours: tuple[Ask, ...]
    floor: tuple[Ask, ...] = ()
    gate: Gate = SHOWN
    beside: str = FLOOR


def same(name: str, path: str, gate: Gate = SHOWN) -> Operation:
    """A page that the floor serves at the same address."""
    return Operation(name, (Ask(path),), (Ask(path),), gate)


def review(findings: int) -> Ask:
    return Ask(f"{REVIEWS}{{response_{findings}}}/review/", who=PHYSIO)


STEP: Final = (
    Ask("/intake/pain/", who=PATIENT, answers="pain", status=303),
    Ask("/intake/knee/", who=PATIENT),
)
SAFETY: Final = (
    Ask("/intake/safety/", who=PATIENT, answers="safety", status=303),
    Ask("/intake/health/", who=PATIENT),
)
SENT: Final = (Ask("/intake/check/", who=DRAFT, answers=SUBMIT, status=303),)

OPERATIONS: Final = (
    same("lesson", LESSON, Gate(ratio=1.5, queries=2, commits=0, cacheable=True)),
    Operation(
        "lesson, nothing compressed",
        (Ask(LESSON, PLAIN),),
        (Ask(LESSON, PLAIN),),
        Gate(ratio=1.5),
    ),
    Operation(
        "lesson, 304",
        (Ask(LESSON, again=True, status=304),),
        (Ask(LESSON),),
        Gate(ratio=0.6, queries=2, commits=0, cacheable=True),
    ),
    same("home", "/"),
    same("lessons", "/learn/"),
    same("chain map", "/chain/"),
    same("search", "/learn/search/?q=rolls+in"),
    Operation(
        "step: save pain, next page",
        STEP,
        STEP,
        Gate(ratio=1.5, queries=5, commits=1),
    ),
    Operation(
        "step: save safety, next page",
        SAFETY,
        SAFETY,
        Gate(ratio=2, queries=5, commits=1),
    ),
    Operation(
        "submit",
        SENT,
        SENT,
        Gate(ratio=1.5, queries=10, commits=1),
    ),
    *(
        Operation(
            f"review page, {findings} finding{'s' if findings > 1 else ''}",
            (review(findings),),
            gate=Gate(ms=8, queries=6, bytes=25_000),
        )
        for findings in FINDINGS
    ),
    Operation(
        "verdict on a finding",
        (Ask(f"{REVIEWS}{{decided}}/review/", who=PHYSIO, answers=VERDICT, status=303),),
        STEP[:1],
        Gate(ratio=1.5, commits=1),
    ),
    *(
        Operation(
            f"trail and guard: {name}",
            asks,
            asks,
            Gate(ratio=1.15),
            beside=UNWATCHED,
        )
        for name, asks in (("step", STEP), ("review page", (review(10),)))
    ),
    Operation(
        "worklist",
        (Ask("/staff/intake/evaluation/", who=PHYSIO),),
        gate=Gate(ms=12, queries=4),
    ),
)


@dataclass(frozen=True, slots=True)
class View:
    """A look at a page on a phone with an empty cache, or `again` with the files of the first look kept."""

    name: str
    path: str
    gate: Gate
    who: str = ""
    again: bool = False


FORM: Final = "/intake/pain/"
BODY_MAP: Final = "/intake/where/"
# A page whose style sheet is a file waits for two answers, the floor's for one.
FIRST_FORM: Final = Gate(bytes=20_000, requests=3, shift=0, lcp=1.5, lcp_shown=True)
FIRST_BODY_MAP: Final = Gate(bytes=26_000, shift=0, lcp=1.5, lcp_shown=True)
REPEAT: Final = Gate(bytes=5_000, shift=0, lcp=1.5)

VIEWS: Final = (
    View("lesson, first view", LESSON, Gate(bytes=20_000, requests=3, shift=0)),
    View("lesson, repeat view", LESSON, Gate(shift=0), again=True),
    View("form page, first view", FORM, FIRST_FORM, PATIENT),
    View("form page, repeat view", FORM, REPEAT, PATIENT, again=True),
    View("body map, first view", BODY_MAP, FIRST_BODY_MAP, PATIENT),
    View("body map, repeat view", BODY_MAP, REPEAT, PATIENT, again=True),
)
