"""What is measured, and what has to hold."""

from dataclasses import dataclass
from typing import Final

LESSON: Final = "/learn/rolling-in/"
# What browsers say that they can unpack.
BROWSER: Final = "gzip, deflate, br"
PLAIN: Final = "identity"


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request. `encoding`: its Accept-Encoding. `again`: it brings the ETag of an earlier answer."""

    path: str
    encoding: str = BROWSER
    again: bool = False
    status: int = 200


@dataclass(frozen=True, slots=True)
class Gate:
    """What an operation has to hold; what is None or empty is only shown.

    ratio: CPU of ours by CPU of the floor, at most. queries: own statements, at most. commits: exactly.
    bytes: of the answers' bodies, at most; of a browser's first view headers count too. requests: at most.
    cacheable: no cookie is set or looked at, and the answer has an ETag.
    """

    ratio: float | None = None
    queries: int | None = None
    commits: int | None = None
    bytes: int | None = None
    requests: int | None = None
    cacheable: bool = False

    def __str__(self) -> str:
        limits = {
            "x": self.ratio,
            " queries": self.queries,
            " bytes": self.bytes,
            " requests": self.requests,
        }
        words = [f"<= {limit}{unit}" for unit, limit in limits.items() if limit is not None]
        if self.commits is not None:
            words.append(f"{self.commits} commits")
        if self.cacheable:
            words.append("no cookie, ETag")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Operation:
    """Something people do, as requests to ours and to the floor; both count as one operation."""

    name: str
    ours: tuple[Ask, ...]
    floor: tuple[Ask, ...]
    gate: Gate = Gate()


def same(name: str, path: str, gate: Gate = Gate()) -> Operation:
    """A page that the floor serves at the same address."""
    return Operation(name, (Ask(path),), (Ask(path),), gate)


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
)

# A browser with an empty cache.
FIRST_VIEWS: Final = (("lesson, first view", LESSON, Gate(bytes=20_000, requests=3)),)
