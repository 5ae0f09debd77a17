"""The table, the JSON and the verdict of `make bench`."""

import json

import pytest

from tests.bench.operations import OPERATIONS, VIEWS, Gate
from tests.bench.report import Cost, Paint, Result, as_json, table, verdict

OPEN = Gate()
FLOOR = Cost(app=0.8, postgres=0.2, wall=1.5)


def page(name: str = "lesson", gate: Gate = OPEN, **how: object) -> Result:
    given = {"ours": Cost(1.0, 0.4, 2.0), "floor": FLOOR, "queries": 1, "commits": 0, "bytes": 5_000}
    return Result(name=name, gate=gate, **{**given, **how})  # type: ignore[arg-type]  # any field


def test_the_ratio_counts_the_web_server_and_postgres() -> None:
    assert page().ratio == pytest.approx(1.4)


@pytest.mark.parametrize(
    ("gate", "how", "words"),
    [
        (Gate(ratio=1.5), {"ours": Cost(1.4, 0.2, 2.0)}, "1.60 times the floor, at most 1.5"),
        (Gate(ratio=1.5), {"floor": None}, "- times the floor, at most 1.5"),
        (Gate(queries=2), {"queries": 3}, "3 queries, at most 2"),
        (Gate(commits=1), {"commits": 2}, "2 commits instead of 1"),
        (Gate(commits=1), {"commits": 0}, "0 commits instead of 1"),
        (Gate(bytes=20_000), {"bytes": 20_001}, "20001 bytes, at most 20000"),
        (Gate(requests=3), {"requests": 4}, "4 requests, at most 3"),
        (Gate(ms=1.3), {}, "1.40 ms, at most 1.3"),
        (Gate(ms=1.3), {"ours": None}, "- ms, at most 1.3"),
        (Gate(cacheable=True), {"flaws": ("sets a cookie",)}, "sets a cookie"),
        (Gate(lcp=1.5), {"paint": Paint(1600, 1000, 0)}, "painted after 1.60 times the floor, at most 1.5"),
        (Gate(lcp=1.5), {}, "painted after - times the floor, at most 1.5"),
        (Gate(shift=0), {"paint": Paint(900, 1000, 0.0012)}, "shifts by 0.0012, at most 0"),
    ],
)
def test_a_gate_that_does_not_hold_says_why(gate: Gate, how: dict[str, object], words: str) -> None:
    result = page(gate=gate, **how)
    assert verdict([page("home"), result]) == [f"lesson: {words}"]
    assert "! " in table([result])


@pytest.mark.parametrize(
    "gate",
    [
        Gate(),
        Gate(ratio=1.4001, queries=1, commits=0, bytes=5_000, requests=1, cacheable=True),
    ],
)
def test_a_gate_that_holds_says_nothing(gate: Gate) -> None:
    assert verdict([page(gate=gate)]) == []
    assert "!" not in table([page(gate=gate)])


def test_when_a_page_is_painted_may_be_shown_and_not_fail() -> None:
    result = page(gate=Gate(bytes=4_000, lcp=1.5, lcp_shown=True), paint=Paint(2000, 1000, 0.0))
    assert verdict([result]) == ["lesson: 5000 bytes, at most 4000"]
    assert "! <= 4000 bytes, shown: <= 1.5x LCP" in table([result])


def test_what_has_no_gate_may_cost_anything() -> None:
    dear = page(
        ours=Cost(500.0, 500.0, 1000.0), queries=900, commits=9, bytes=10**9, flaws=("sets a cookie",)
    )
    assert verdict([dear]) == []


def test_the_table_names_every_kind_of_statement_that_is_not_the_pages_own() -> None:
    line = table([page(others={"connection": 1, "user": 0, "audit": 2})]).splitlines()[1]
    assert "1 connection, 2 audit" in line
    assert "user" not in line


def test_views_have_a_table_of_their_own() -> None:
    view = Result("lesson, first view", Gate(), bytes=17_000, requests=3, paint=Paint(1200, 800, 0.0))
    operations, views = table([page("lesson"), view]).split("\n\n")
    assert "first view" not in operations
    assert views.splitlines()[1].split()[3:] == ["17000", "3", "1.50", "0.0000", "1200/800"]
    assert table([view]) == views
    assert table([page("lesson")]) == operations
    (entry,) = json.loads(as_json([view]))
    assert [entry[key] for key in ("lcp_ratio", "lcp_ms", "shift", "requests")] == [1.5, 1200, 0, 3]


def test_json_has_an_entry_an_operation() -> None:
    view = Result(name="first view", gate=Gate(bytes=20_000), bytes=17_000, requests=3)
    lesson, first = json.loads(as_json([page(gate=Gate(ratio=1.5, queries=2)), view]))
    eight = ("name", "ours_ms", "floor_ms", "ratio", "gate", "queries", "commits", "bytes")
    assert [lesson[key] for key in eight] == ["lesson", 1.4, 1.0, 1.4, 1.5, 1, 0, 5_000]
    assert [first[key] for key in eight] == ["first view", None, None, None, None, None, None, 17_000]
    assert lesson["limits"] == "<= 1.5x, <= 2 queries"
    assert lesson["broken"] == []


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one.name for one in (*OPERATIONS, *VIEWS)]
    assert len(set(names)) == len(names)
