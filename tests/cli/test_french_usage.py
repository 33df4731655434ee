"""What is wrong with how a command was called is told in French with ``--lang fr``, whatever the error."""

from __future__ import annotations

import ast
import re
from itertools import count
from pathlib import Path

import click
import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import kpfootprint
from kpfootprint.cli.main import cli, main
from kpfootprint.cli.surroundings import LOCALES, helped, paragraphs, retold, speak
from kpfootprint.report.locale import CATALOGUES
from kpfootprint.retold import ERRORS
from service.catalogue import compiled, sources
from service.register.database import SAID

SOURCE = LOCALES / "fr" / "LC_MESSAGES" / "click.po"
OWN = SOURCE.with_name("commands.po")
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
    assert SOURCE.with_suffix(".mo").read_bytes() == compiled(SOURCE)


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
    with OWN.open("rb") as file:
        french = {str(message.id): str(message.string) for message in read_po(file) if message.id}
    assert set(french) == wanted
    assert OWN.with_suffix(".mo").read_bytes() == compiled(OWN)


@pytest.mark.parametrize("path", [OWN, SOURCE, *sources(), CATALOGUES / "fr.po"], ids=lambda path: path.name)
def test_french_keeps_its_spaces_and_apostrophes(path: Path) -> None:
    with path.open("rb") as file:
        for message in read_po(file):
            for text in (message.string,) if isinstance(message.string, str) else message.string or ():
                if message.id:
                    assert not re.search(r" [;:!?»](\s|$)|« |\w'\w", text), text


RAISED = {
    "ReportError",
    "ReleaseError",
    "InvalidParcel",
    "SchemeMismatch",
    "RegisterUnavailable",
    "BackupError",
    "LaunchError",
    "UnfitFile",
    "BadKey",
}
PASSED_ON = {"{1}", "{1}: {2}"}
"""Texts that are another's."""
OF_ARRAYS = {"{1} must {2}"}
"""What an array must be is told as it is."""


def texts_of_errors() -> set[str]:
    """Return every text that such an error is raised with, and every reason of a chain that does not hold."""
    root = Path(kpfootprint.__file__).parents[1]
    files = [*(root / "kpfootprint").rglob("*.py"), *(root / "service" / "register").rglob("*.py")]
    files.append(root / "service" / "launch.py")
    found = set()
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[said, *_]) if name in RAISED:
                found.add(template(said))
            case ast.FunctionDef(name=name) if name.endswith(("_fault", "_faults")):
                found |= {template(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Return)}
                told = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Yield)]
                found |= {template(pair.elts[1]) for pair in told if isinstance(pair, ast.Tuple)}
    return {text for text in (*found, *SAID.values()) if text} - PASSED_ON - OF_ARRAYS


def template(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    number = count(1)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{next(number)}}}" for p in node.values)


def test_every_error_of_the_library_is_told_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    texts = texts_of_errors()
    assert len(texts) > 60
    speak(["--lang", "fr"], cli)
    try:
        for text in texts:
            filled = re.sub(r"\{(\d)\}", r"x\1", text)
            told = retold(filled)
            assert told != filled, text
            assert sorted(re.findall(r"x\d", told)) == sorted(re.findall(r"x\d", filled)), told
            assert not re.search(r" [:;?!%]", told), told
        assert retold("a: " * 300) == "a: " * 300
        assert retold("a: " * 3000) == "a: " * 3000
    finally:
        speak(["--lang", "en"], cli)
    assert retold("parcel 'A' has no stones") == "parcel 'A' has no stones"


def test_every_problem_of_a_package_is_told_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    known = ERRORS.read_text(encoding="utf-8")
    texts = set()
    for path in (Path(kpfootprint.__file__).parents[1] / "training" / "package").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Assign(targets=[ast.Name(id="reason")], value=said) | ast.keyword(arg="reason", value=said):
                    texts.add(template(said))
                case ast.Call(func=ast.Name(id="told"), args=args):
                    texts |= {template(said) for said in args[:2]}
    texts = {text for text in texts if " " in text}
    assert len(texts) > 40
    speak(["--lang", "fr"], cli)
    try:
        for text in texts:
            filled = re.sub(r"\{(\d)\}", r"x\1", text)
            assert retold(filled) != filled or f'msgid "{text}' in known, text
    finally:
        speak(["--lang", "en"], cli)


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
        ("KPF_DATABASE_URL", "mysql://x", "'mysql://x' n’a pas la forme voulue"),
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
