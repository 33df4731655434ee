"""What is wrong with how a command was called is told in French with ``--lang fr``, whatever the error."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from kpfootprint.cli.main import main
from kpfootprint.cli.surroundings import LOCALES
from service.catalogue import compiled

SOURCE = LOCALES / "fr" / "LC_MESSAGES" / "click.po"
CALLS = (
    (["compare", "nothing-here.csv", "--lang", "fr"], "n’existe pas"),
    (["compare", "--lang=fr"], "Argument manquant"),
    (["compare", "--lang", "fr", "--nonsense", "x.csv"], "L’option '--nonsense' n’existe pas"),
    (["compare", ".", "--lang", "fr", "--format", "docx"], "n’est pas l’une des valeurs"),
    (["compare", ".", "--lang", "fr", "--exported-on", "soon"], "n’est pas de la forme"),
    (["compare", ".", ".", "--lang", "fr"], "Argument de trop"),
)


@pytest.mark.parametrize(("arguments", "said"), CALLS, ids=lambda item: item if isinstance(item, str) else "")
def test_a_wrong_call_is_told_in_french(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")  # and so it is set back
    with pytest.raises(SystemExit) as left:
        main(arguments)
    told = capsys.readouterr().err
    assert left.value.code == 2
    assert said in told
    assert "Usage\u00a0: kpfootprint" in told
    for english in ("Error", "Missing", "Invalid", "No such", "Usage: "):
        assert english not in told


def test_without_lang_it_is_english(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare"])
    assert "Missing argument" in capsys.readouterr().err


def test_every_message_is_one_of_click_s_and_the_compiled_catalogue_is_made_from_it() -> None:
    known: set[object] = set()
    for path in Path(click.__file__).parent.glob("*.py"):
        with path.open("rb") as source:
            known |= {m for _, m, _, _ in extract("python", source, {"_": None, "ngettext": (1, 2)})}
    with SOURCE.open("rb") as file:
        for message in read_po(file):
            assert not message.id or message.id in known, message.id
    assert SOURCE.with_suffix(".mo").read_bytes() == compiled(SOURCE)
