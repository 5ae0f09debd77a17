"""`python manage.py screen_answers` as other programs call it: exit codes, stdout, stderr, no database."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from intake.management.commands.screen_answers import Command
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[4]


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command with a database address that leads nowhere."""
    nowhere = dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL"), "postgres://nobody@127.0.0.1:1/none")
    return subprocess.run(
        [sys.executable, "manage.py", "screen_answers", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        env={**os.environ, **nowhere},
        timeout=PATIENCE_SECONDS,
    )


def code_of(*arguments: str) -> int:
    """What the command line exits with, in this process: starting Django takes longer than all of them."""
    with pytest.raises(SystemExit) as left:
        Command().run_from_argv(["manage.py", "screen_answers", *arguments])
    return int(left.value.code or 0)


def test_outcomes_are_json_alone_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(
        '[{"answers": {"safety.leg-signs.left": ["foot-cold-pale"], "pain.now": 9}}, {"answers": {}}]'
    )
    done = run(str(path))
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == [
        {"rules": [], "redFlags": [["limb-threat", "left"]], "precautions": ["self-tests-off"]},
        {"rules": [], "redFlags": [], "precautions": []},
    ]
    assert run("-", stdin=path.read_bytes()).stdout == done.stdout


@pytest.mark.parametrize(
    ("stdin", "line"),
    [
        (
            b'[{"answers": {}}, {"answers": {"pain.now": 11}}]',
            "entry 2: pain.now: 11 is over the maximum 10\n",
        ),
        (b"\xff[]", "not JSON: the text is not UTF-8\n"),
        (b"", "not JSON: Expecting value (line 1, column 1)\n"),
    ],
)
def test_a_refusal_is_one_line_on_stderr_and_nothing_on_stdout(
    stdin: bytes, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    assert code_of("-") == 1
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize(
    "arguments", [(), ("a", "b"), ("no-such-file.json",), (".",), ("--no-such-option", "-")]
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err
