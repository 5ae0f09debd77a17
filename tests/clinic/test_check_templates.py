import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinic.management.commands import check_templates


def test_every_template_of_the_project_parses(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_templates", "--json")
    answer = json.loads(capsys.readouterr().out)

    assert answer["templates"] > 20
    assert answer["broken"] == {}


def test_a_template_that_does_not_parse_is_named(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.html").write_text("{% if x %}")
    (tmp_path / "good.html").write_text("{{ x }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    with pytest.raises(CommandError, match="1 template"):
        call_command("check_templates", "--json")

    assert list(json.loads(capsys.readouterr().out)["broken"]) == ["bad.html"]


def test_names_are_those_by_which_templates_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "intake").mkdir()
    (tmp_path / "intake" / "page.html").touch()

    assert check_templates.names_in(tmp_path) == ["intake/page.html"]
