"""What is wrong with how a command was called is told in French with ``--lang fr``, whatever the error."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import click
import pytest
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from kpfootprint.cli.main import cli, main
from kpfootprint.cli.surroundings import COMMANDS, LOCALES, helped, paragraphs, speak
from kpfootprint.errors import NotExamined, ReleaseError, ReportError
from kpfootprint.report.locale import CATALOGUE
from kpfootprint.retold import ERRORS, Said, again, kept, retold, said_of
from service.misfits import KINDS, REASONS
from service.pages.render import PAGES
from service.register.database import CANNOT, STATES
from tests.source import files, tree_of
from training.config import ConfigError, parse_config

SOURCE = LOCALES / "fr" / "LC_MESSAGES" / "click.po"
CALLS = (
    (["compare", "nothing-here.csv", "--lang", "fr"], "n’existe pas"),
    (["compare", "--lang=fr"], "Argument manquant"),
    (["compare", "--lang", "fr", "--nonsense", "x.csv"], "L’option '--nonsense' n’existe pas"),
    (["compare", ".", "--lang", "fr", "--format", "docx"], "n’est pas l’une des valeurs"),
    (["compare", ".", "--lang", "fr", "--exported-on", "soon"], "n’est pas une date comme 2025-03-31"),
    (["compare", ".", "--lang", "fr", "--exported-on", "2025-3-1"], "n’est pas une date comme 2025-03-31"),
    (["verify", ".", "--lang", "fr"], "'.' est un dossier"),
    (["compare", ".", "--lang", "fr", "--model", "none"], "'none' n’existe pas"),
    (["batch", ".", "--lang", "fr", "--workers", "two"], "n’est pas un nombre qui convienne"),
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
    for english in ("Error", "Missing", "Invalid", "No such", "Usage: ", "Path", "File", "Directory", "integer"):
        assert english not in told


def test_classes_in_problems_are_named_in_french(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("KPF_HOME", str(tmp_path))
    sheet = tmp_path / "tri.csv"
    sheet.write_text("Poids (ct);Couleur\n0,42;brun sombre\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["compare", str(sheet), "--lang", "fr"])
    told = capsys.readouterr().err
    assert "(couleur)" in told
    assert "brown" not in told


def test_how_a_sheet_was_read_is_told_in_french_and_every_command_takes_a_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("KPF_HOME", str(tmp_path))
    sheet = tmp_path / "tri.csv"
    rows = ["Lot;;", ";;", "Tamis;Couleur;Pièces", "+9-11;brun;41", "+7-9;incolore;20", "Total;;61"]
    sheet.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["validate", str(sheet), "--lang", "fr"])
    told = capsys.readouterr().out
    assert "61 pierres" in told
    assert "brun (41)" in told
    assert not re.search(r"\b(stones|size|colour|header|left out|row|total,)\b", told), told
    for arguments in (["zones", "--lang", "fr"], ["models", "history", "--lang", "fr"], ["keys", "list", "--lang=fr"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code in (0, None), arguments


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
        file.seek(0)
        made = io.BytesIO()
        write_mo(made, read_po(file))
    assert SOURCE.with_suffix(".mo").read_bytes() == made.getvalue(), (
        f"run: pybabel compile -l fr -i {SOURCE} -o {SOURCE.with_suffix('.mo')}"
    )


def test_what_our_own_commands_say_is_told_in_french_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    calls = (
        (["drift", "--lang", "fr"], "indiquez --exporter, --zone ou les deux"),
        (["compare", ".", "--lang", "fr", "--out", str(tmp_path / "none" / "x")], "n’existe pas"),
        (["compare", ".", "--lang", "fr", "--choose", "lots"], "n’est pas de la forme QUESTION=RÉPONSE"),
        (["compare", ".", "--lang", "fr", "--declare", "berberati=much"], "n’est pas un nombre de carats"),
        (["compare", "--lang", "fr", "--help"], "Jour d’exportation"),
        (["keys", "--lang", "fr", "--help"], "Options : --lang"),
    )
    for arguments, said in calls:
        with pytest.raises(SystemExit):
            main(arguments)
        told = capsys.readouterr()
        assert said in " ".join((told.err + told.out).split()), arguments
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    assert "Day of export" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    assert "Refait un rapport scellé." in capsys.readouterr().out


def test_every_text_of_our_commands_has_its_french_and_no_other_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    speak([], cli)
    wanted = {text for item in helped(cli) for text in paragraphs(item.help or "")}
    for path in LOCALES.parent.glob("*.py"):
        with path.open("rb") as source:
            wanted |= {str(m) for _, m, _, _ in extract("python", source, {"told": None, "tell": None})}
    with COMMANDS.open("rb") as file:
        french = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    assert set(french) == wanted


@pytest.mark.parametrize("path", [COMMANDS, SOURCE, PAGES, ERRORS, CATALOGUE], ids=lambda path: path.name)
def test_french_keeps_its_spaces_and_apostrophes(path: Path) -> None:
    with path.open("rb") as file:
        for message in read_po(file):
            for text in (message.string,) if isinstance(message.string, str) else message.string or ():
                if message.id:
                    assert not re.search(r" [;:!?»](\s|$)|« |\w'\w", text), text


RAISED = {
    "ReportError",
    "ReleaseError",
    "SchemeMismatch",
    "SchedulerError",
    "ClusterLost",
    "NotJson",
    "AmbiguousJson",
    "RegisterUnavailable",
    "BackupError",
    "LaunchError",
    "UnfitFile",
    "BadKey",
}
CARRIERS = {*RAISED, "Said"}
"""What is called with a text of the library, and with its values."""
OF_ARRAYS = "{name} must {said}"
"""What an array must be is told as it is."""
FILLED_LATER = {*STATES.values(), *KINDS.values(), *REASONS.values(), CANNOT}


@cache
def calls() -> tuple[ast.expr, ...]:
    """Return the text of every such call, and of those that say why a register cannot be used."""
    return tuple(_calls())


def _calls() -> Iterator[ast.expr]:
    for folder in ("kpfootprint", "service", "training"):
        for path in files(folder):
            for node in ast.walk(tree_of(path)):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=[said, *_]) if name in CARRIERS:
                        yield said
                    case ast.Call(func=ast.Name(id="cannot" | "fault_at"), args=[_, said]):
                        yield said


def texts_of_errors() -> set[str]:
    """Return every text of the library that is filled with values."""
    said = {text.value for text in calls() if isinstance(text, ast.Constant) and isinstance(text.value, str)}
    return {*said, *FILLED_LATER} - {OF_ARRAYS}


def reasons() -> set[str]:
    """Return every other text that says what is wrong with a package, or where a chain was touched."""
    found = set()
    for folder in ("training", "service/register"):
        for path in files(folder):
            for node in ast.walk(tree_of(path)):
                match node:
                    case ast.Assign(targets=[ast.Name(id="reason")], value=ast.Constant(value=str(said))):
                        found.add(said)
                    case ast.keyword(arg="reason", value=ast.Constant(value=str(said))):
                        found.add(said)
                    case ast.Call(func=ast.Name(id="told" | "fault" | "wrong"), args=args):
                        found |= {a.value for a in args[:2] if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return {text for text in found if " " in text}


def in_french() -> dict[str, str]:
    with ERRORS.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


@pytest.mark.slow
def test_what_the_library_says_is_worded_late() -> None:
    worded = calls()
    assert len(worded) > 150
    assert [ast.unparse(said) for said in worded if isinstance(said, ast.JoinedStr)] == []


def test_every_text_of_the_library_is_told_in_french_with_its_values() -> None:
    french = in_french()
    texts = texts_of_errors()
    assert len(texts) > 150
    assert sorted((texts | reasons()) - french.keys()) == []
    places = re.compile(r"\{\w+\}")
    for english, told in french.items():
        assert told
        number = {"{number}"} & set(places.findall(english))  # of an error of the system, which is told by its kind
        assert set(places.findall(told)) | number == set(places.findall(english)), told
        assert not re.search(r" [:;?!%]", told), told


def test_a_sentence_keeps_its_values_wherever_it_goes() -> None:
    inner = Said("the resource {name} is missing", name="{braces}")
    said = Said("{name}: {fault}", name="a: b", fault=inner)
    for again_ in (pickle.loads(pickle.dumps(said)), again(json.loads(json.dumps(kept(said)))), Said(said)):
        assert (again_, again_.text, again_.values) == (said, said.text, said.values)
    assert retold(said, "fr") == "a: b\u00a0: la ressource {braces} manque"
    assert retold(said, "en") == said == "a: b: the resource {braces} is missing"
    error = ReleaseError("{what} cannot be used: {error}", what="x", error=ReportError(inner))
    assert retold(pickle.loads(pickle.dumps(error)), "fr") == "x est inutilisable\u00a0: la ressource {braces} manque"
    assert said.each(str.upper) == "A: B: the resource {BRACES} is missing"
    assert retold("as somebody wrote it", "fr") == "as somebody wrote it"
    assert retold(Said("its {n} stones", n=1200), "fr") == "its 1\u00a0200 stones"


@pytest.mark.parametrize("call", [Path("/none").read_bytes, Path("/").read_bytes, partial(os.scandir, "/none")])
def test_the_system_is_told_by_its_kind(call: Callable[[], object]) -> None:
    with pytest.raises(OSError, match="Errno") as raised:
        call()
    assert said_of(raised.value) == str(raised.value)
    assert "Errno" not in retold(raised.value, "fr")


def test_a_fault_of_settings_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_config(b"a = 1\nb = {yes}")
    told = retold(raised.value.problems[0].reason, "fr")
    assert told.startswith("ce n’est pas du TOML\u00a0: ")
    assert "line 2" in told


def test_a_text_that_is_none_is_told_in_french() -> None:
    for data, said in ((b"a = '\xff'", "UTF-8"), (b"a = " + b"[" * 20_000, "profondément imbriqué")):
        with pytest.raises(ConfigError) as raised:
            parse_config(data)
        assert said in retold(raised.value.problems[0].reason, "fr")


def test_a_parcel_that_was_not_examined_is_told_in_french_wherever_it_was_tried() -> None:
    found = NotExamined.because("A{1}", ReleaseError("{file} holds no parcel", file="x"))
    again_ = pickle.loads(pickle.dumps(found))
    assert (again_.problems, again_.parcel_id, str(again_)) == (found.problems, "A{1}", str(found))
    told = retold(again_.problems[0].reason, "fr")
    assert told.endswith("(ReleaseError\u00a0: x ne contient aucun lot)")


def test_an_error_of_the_library_is_told_in_french_with_its_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    (tmp_path / "one.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["beside", str(tmp_path / "one.json"), "--lang", "fr"])
    assert "one.json\u00a0: ce JSON n’est pas un rapport" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KPF_CLOCK_DAYS", "0", "il faut une valeur de 1 au moins, et non '0'"),
        ("KPF_RATE_PER_MINUTE", "many", "il faut un nombre entier, et non 'many'"),
        ("KPF_MAX_BODY_MB", "inf", "il faut un nombre fini, et non 'inf'"),
        ("KPF_LOG_FORMAT", "xml", "il faut 'text' ou 'json', et non 'xml'"),
        ("KPF_DATABASE_URL", "mysql://x", "il faut un texte de la forme '^(sqlite"),
        ("KPF_PROXY_SECRET", "short", "il faut 16 caractères au moins"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told_in_french(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main(["keys", "list"])
    assert said in capsys.readouterr().err
    speak(["--lang", "en"], cli)
