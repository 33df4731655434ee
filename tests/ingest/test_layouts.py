"""Sheets as people lay them out: what comes out, what is left out with a word, and what is asked."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.errors import Problem
from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

Words = tuple[Scheme, ZoneTable]


@pytest.fixture
def world(scheme: Scheme, zone_table: ZoneTable) -> Words:
    return scheme, zone_table


def reading(text: str, world: Words, name: str = "sheet.csv", **more: Any) -> Reading:
    return read(Upload(name, text.encode()), *world, one=more.pop("one", True), **more)


def parcel_of(text: str, world: Words, **more: Any) -> Parcel:
    found = reading(text, world, **more)
    assert found.problems == ()
    (parcel,) = found.parcels
    return parcel


def asked(text: str, world: Words, **more: Any) -> Problem:
    found = reading(text, world, **more)
    assert found.parcels == ()
    return found.problems[0]


def said(parcel: Parcel) -> dict[str, Any]:
    assert parcel.read_as is not None
    return dict(parcel.read_as)


LADDER = [("8-10 ct", 1, 8.61), ("3 ct", 4, 12.48), ("4 gr", 39, 40.17), ("3 gr", 48, 36.96), ("+11", 162, 77.76)]
SIEVES = [("-11+9", 210, 52.50), ("-9+7", 188, 28.20)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("head", "total"),
    [
        (("Size class", "Stones", "Carats", "cts/st"), "Total"),
        (("Calibre", "Nbre de pierres", "Poids (cts)", "Moyenne"), "TOTAL GÉNÉRAL"),
        (("Sieve", "Pcs", "Cts", "Avg."), "Grand total:"),
        (("Tamis", "Nb", "Pds ct", "ct/pierre"), "Totaux"),
        (("Размер", "Количество", "Вес (кар)", "Средний"), "Итого"),
        (("Size", "No. of stones", "Weight", "Average weight"), "Sum"),
    ],
)
def test_a_ladder_of_sizes(head: tuple[str, ...], total: str, separator: str, world: Words) -> None:
    rows = [(label, str(n), f"{ct:.2f}", f"{ct / n:.2f}") for label, n, ct in LADDER + SIEVES]
    rows.append((total, "652", "256.68", "0.39"))
    parcel = parcel_of("\n".join(separator.join(row) for row in [head, *rows]), world)
    assert (parcel.n_stones, parcel.carats) == (652, 256.68)
    assert parcel.sieve_set is not None
    limits = dict(zip(parcel.sieve_set.classes, zip(parcel.sieve_set.lower_ct, parcel.sieve_set.upper_ct), strict=True))  # noqa: B905
    assert limits["-11+9"] == (0.175, 0.315)
    assert limits["+11"] == (0.315, 0.655)
    assert limits["4 gr"] == (0.895, 1.195)
    assert limits["8-10 ct"] == (7.795, 10.795)
    assert [(item["row"], item["code"]) for item in said(parcel)["left_out"]] == [(9, "total_checked")]
    assert said(parcel)["notes"][0]["code"] == "size_limits"


CROSS = """Comptoir A;;;;;;;;
{title}
Calibre;Blanc;;Cape;;Brun;;Total;
;Pcs;Cts;Pcs;Cts;Pcs;Cts;Pcs;Cts
+11;61;30,50;44;21,12;22;10,78;127;62,40
+9-11;80;20,00;71;17,75;30;7,50;181;45,25
Totaux;141;50,50;115;38,87;52;18,28;308;107,65
"""


@pytest.mark.parametrize(
    "title", ["Lot;CAR-7", "Parcel: CAR-7", "N° parcelle;;CAR-7", "Parcel ID;CAR-7;Date;12/02/2019"]
)
def test_a_cross_table_below_titles(title: str, world: Words) -> None:
    parcel = parcel_of(CROSS.format(title=title), world)
    assert (parcel.parcel_id, parcel.n_stones, parcel.carats) == ("CAR-7", 308, 107.65)
    assert [item.attributes for item in parcel.breakdowns] == [("size", "colour")]
    assert said(parcel)["header_rows"] == [3, 4]
    assert said(parcel)["classes"]["colour"] == {"colourless": 141, "cape": 115, "brown": 52}
    assert reading(CROSS.format(title=title), world, given={"parcel_id": "mine"}).parcels[0].parcel_id == "mine"


def test_a_cross_table_whose_row_does_not_add_up_is_told(world: Words) -> None:
    problem = asked(CROSS.format(title="").replace(";127;", ";128;").replace(";308;", ";309;"), world)
    assert (problem.code, problem.row, problem.column) == ("row_total", 5, "Total Pcs")


def test_one_line_of_classes_in_any_order(world: Words) -> None:
    text = "Sieve,Octa pcs,Octa cts,Macle (pcs),Macle (cts),Total stones\n-9+7,4,0.6,6,0.9,10\n-11+9,20,5.0,9,2.2,29\n"
    parcel = parcel_of(text, world)
    assert (parcel.n_stones, parcel.carats) == (39, 8.7)
    assert parcel.breakdowns[0].attributes == ("size", "morphology")


def test_sizes_may_stand_in_columns(world: Words) -> None:
    text = "Colour,+11,-11+9,-9+7,Total\nWhite,61,80,70,211\nCape,44,71,66,181\nTotal,105,151,136,392\n"
    parcel = parcel_of(text, world)
    assert (parcel.n_stones, parcel.carats) == (392, None)
    assert said(parcel)["classes"]["size"] == {"-9+7": 136, "-11+9": 151, "+11": 105}


BOOK = """No,{description},Pcs,Cts,Avg,PPC,Amount
1,3-6 GR Sawables White 1-2Q,14,17.46,1.25,410,7158.60
2,+11 MAKEABLES CAPE,22,9.94,0.45,265,2634.10
3,BOART,96,31.20,0.33,8,249.60
,{total},132,58.60,,,
"""


@pytest.mark.parametrize(
    ("description", "total"), [("Description", "TOTAL"), ("Assortment", "Grand Total"), ("Désignation", "")]
)
def test_a_price_book_is_one_parcel_of_lots(description: str, total: str, world: Words) -> None:
    parcel = parcel_of(BOOK.format(description=description, total=total), world)
    assert (parcel.n_stones, parcel.carats) == (132, 58.6)
    (lots,) = parcel.breakdowns
    assert lots.attributes == ("size", "colour", "morphology")
    assert said(parcel)["classes"]["size"] == {"+11": 22, "3-6 GR": 14}
    assert said(parcel)["classes"]["morphology"] == {"boart": 96, "makeable": 22, "sawable": 14}
    assert "1-2Q" in said(parcel)["notes"][0]["text"]
    assert len(said(parcel)["left_out"]) == 1


def test_lots_are_no_stones_and_no_parcels(world: Words) -> None:
    parcel = parcel_of("Lot;Qty;Weight;Colour\nA;120;33,40;white\nB;80;25,10;cape\n", world)
    assert (parcel.n_stones, parcel.carats) == (200, 58.5)
    parcel = parcel_of("Lot;Description;Pcs;Cts\nA;rough;14;19,46\nB;rough;22;27,94\n;TOTAL;36;47,40\n", world)
    assert (parcel.n_stones, parcel.carats, parcel.breakdowns[0].attributes) == (36, 47.4, ())


def test_a_column_of_lots_over_stones_is_asked_about(world: Words) -> None:
    text = "Lot,Weight,Colour\n1,0.42,white\n1,0.31,cape\n2,0.27,brown\n2,0.3,brown\n"
    problem = asked(text, world)
    assert (problem.code, problem.values["choices"]) == ("lots_or_parcels", [("lots", "parcels"), ("lots", "one")])
    assert parcel_of(text, world, choices={"lots": "one"}).n_stones == 4
    several = reading(text, world, one=False, choices={"lots": "parcels"})
    assert several.order == ("1", "2")


@pytest.mark.parametrize("origin", ["Origine", "Zone", "Provenance", "Zone d'extraction"])
def test_slips_are_declarations_and_nothing_to_compare(origin: str, world: Words) -> None:
    text = f"N° bordereau;Date;{origin};Nbre de pierres;Poids (carats);Valeur (F CFA)\n"
    text += "B-1;12/02/2019;Nola;212;48,35;3 145 000\n"
    text += "B-2;13/02/2019;Nola;97;21,70;1 410 500\nB-3;13/02/2019;Boda;10;4,00;1 000\n;;TOTAL;319;74,05;4 556 500\n"
    problem = asked(text, world)
    assert problem.code == "declarations_alone"
    assert "nola 70.05 ct, boda 4.00 ct" in problem.reason


def test_slips_beside_stones_declare_them(tmp_path: Path, world: Words) -> None:
    (tmp_path / "bordereaux.csv").write_text("N°;Origine;Poids\n1;Nola;0,5\n2;Nola;0,25\n", encoding="utf-8")
    (tmp_path / "stones.csv").write_text("weight_ct,colour\n0.5,white\n0.25,cape\n", encoding="utf-8")
    found = read(tmp_path, *world)
    assert found.problems == ()
    assert [(item.zone_id, item.carats) for item in found.parcels[0].declarations] == [("nola", 0.75)]


def test_stones_with_their_zone_are_declared_by_it(world: Words) -> None:
    text = (
        "_id;Zone d'extraction;pierres/poids;pierres/couleur;_parent_index\n1;Nola;0.42;blanc;1\n2;Nola;0.31;brun;1\n"
    )
    parcel = parcel_of(text, world)
    assert (parcel.n_stones, parcel.carats) == (2, 0.73)
    assert [(item.zone_id, item.carats) for item in parcel.declarations] == [("nola", 0.73)]
    given = {"declarations": [{"zone_id": "boda"}]}
    assert [item.zone_id for item in parcel_of(text, world, given=given).declarations] == ["boda"]


@pytest.mark.parametrize(
    "head", ["stones[{}]/weight,stones[{}]/colour", "weight_{0},colour_{0}", "stone {} weight,stone {} colour"]
)
def test_repeats_of_a_form_are_rows(head: str, world: Words) -> None:
    heads = ",".join(head.format(at, at) for at in (1, 2))
    parcel = parcel_of(f"{heads}\n0.42,white,0.31,brown\n0.2,cape,,\n", world)
    assert (parcel.n_stones, parcel.carats) == (3, 0.93)


@pytest.mark.parametrize(
    ("whole", "sample"),
    [
        (("Total stones", "Total cts"), ("Sample stones", "Sample cts")),
        (("Pierres", "Carats"), ("Échantillon pcs", "Échantillon cts")),
    ],
)
def test_sieved_whole_and_graded_in_part(whole: tuple[str, str], sample: tuple[str, str], world: Words) -> None:
    head = ",".join(("Sieve", *whole, *sample, "Octa", "Dodeca", "Macle"))
    parcel = parcel_of(f"{head}\n+11,1834,880.40,71,34.10,14,51,6\n-11+9,2441,610.20,95,23.70,20,66,9\n", world)
    assert (parcel.n_stones, parcel.carats) == (4275, 1490.6)
    assert parcel.n_stones_graded("size") == 166
    assert sorted(item.sample for item in parcel.breakdowns) == [False, True]


def test_a_total_that_classes_do_not_reach_is_asked_about(world: Words) -> None:
    assert asked("Sieve,Octa,Dodeca,Total pcs\n+11,14,51,165\n-11+9,20,66,295\n", world).code == "row_total"


@pytest.mark.parametrize(
    "parties", [("Exporter", "Ministry"), ("Exportateur", "Ministère"), ("Buyer", "Independent valuer")]
)
def test_several_valuations_are_chosen_or_set_side_by_side(parties: tuple[str, str], world: Words) -> None:
    one, two = parties
    text = f"Sieve,{one} pcs,{one} cts,{two} pcs,{two} cts\n+11,162,77.70,160,77.76\n-11+9,212,52.60,210,52.50\n"
    problem = asked(text, world)
    assert problem.code == "which_valuation"
    answers = [dict([pair]) for pair in problem.values["choices"]]
    assert [parcel_of(text, world, choices=answer).n_stones for answer in answers] == [374, 370]
    apart = reading(text, world, one=False)
    assert [(item.parcel_id, item.n_stones) for item in apart.parcels] == [
        (f"sheet/{answer['valuation']}", n) for answer, n in zip(answers, (374, 370), strict=True)
    ]
    assert all(item.read_as is not None and not item.read_as["passed_over"] for item in apart.parcels)


def test_a_tender_of_one_row_is_number_and_weight(world: Words) -> None:
    parcel = parcel_of(
        "Lot No.,Rough Name,Rough Pcs,Rough Cts,Rough Size,Rough Price\nT39,CAR ROM,836,364.17,0.44,274\n", world
    )
    assert (parcel.n_stones, parcel.carats, parcel.breakdowns[0].attributes) == (836, 364.17, ())


@pytest.mark.parametrize(
    "text",
    [
        "Size,% by weight\n+11,21.4\n-11+9,14.3\n",
        "Taille;% poids;% pierres\n+11;21,4;30\n",
        "Size,Share\n+11,40%\n-11+9,60%\n",
    ],
)
def test_percentages_alone_are_refused(text: str, world: Words) -> None:
    problem = asked(text, world)
    assert problem.code == "percent_alone"
    assert "number of stones" in problem.reason


STONES = [("0.42", "white", "round"), ("0.31", "cape", "macle"), ("0.27", "brown", "cleavage")]


@pytest.mark.parametrize(
    "label", ["Total", "TOTAL:", "Sous-total", "Subtotal 1", "Totaux", "Somme", "Grand total", "Итого"]
)
@pytest.mark.parametrize("place", ["No", "Remarks", "Whatever"])
def test_a_total_wherever_its_label_stands(label: str, place: str, world: Words) -> None:
    rows = [f"{at if place == 'No' else ''},{','.join(row)}" for at, row in enumerate(STONES, start=1)]
    text = "\n".join([f"{place},Weight (ct),Colour,Shape", *rows, f"{label},1.00,,"])
    parcel = parcel_of(text, world)
    assert (parcel.n_stones, parcel.carats) == (3, 1.0)
    (left,) = said(parcel)["left_out"]
    assert (left["row"], left["code"]) == (5, "total_checked")
    wrong = asked(text.replace("1.00", "1.10"), world)
    assert (wrong.code, wrong.row, wrong.column) == ("total_disagrees", 5, "Weight (ct)")


@pytest.mark.parametrize("label", ["Sous-total", ""])
def test_subtotals_every_few_rows(label: str, world: Words) -> None:
    lines = ["weight_ct,colour,morphology,remarks"]
    for block in range(12):
        weights = [0.2 + 0.01 * ((7 * at + block) % 13) for at in range(10)]
        lines += [f"{weight:.2f},brown,macle," for weight in weights]
        lines.append(f"{sum(round(weight, 2) for weight in weights):.2f},,,{label}")
    parcel = parcel_of("\n".join(lines), world)
    assert parcel.n_stones == 120
    assert len(said(parcel)["left_out"]) == 12


def test_a_sum_without_a_label_is_asked_about(world: Words) -> None:
    text = "weight_ct\n0.42\n0.31\n0.27\n1.00\n"
    problem = asked(text, world)
    assert (problem.code, problem.row) == ("total_or_stone", 5)
    assert parcel_of(text, world, choices={"total": "keep"}).n_stones == 4
    assert parcel_of(text, world, choices={"total": "leave_out"}).n_stones == 3


@pytest.mark.parametrize(
    "header", ["Pcs", "Pieces", "Qty", "Nb", "Nbre de pierres", "Pièces", "No. of stones", "Stones", "Nombre"]
)
def test_pieces_under_any_name(header: str, world: Words) -> None:
    text = f"Size,Colour,{header},Cts\n+6,cape,10,0.95\n+6,brown,5,0.47\n+7,cape,8,1.10\n+7,brown,7,0.98\n"
    parcel = parcel_of(text, world, name="stones.csv")
    assert (parcel.n_stones, parcel.carats) == (30, 3.5)


def test_whole_numbers_that_nobody_named_are_asked_about(world: Words) -> None:
    text = "Weight,Foo,Colour\n0.42,3,white\n0.31,2,brown\n0.5,3,cape\n"
    problem = asked(text, world)
    assert (problem.code, problem.column) == ("count_or_other", "Foo")
    assert parcel_of(text, world, choices={"column:Foo": "ignore"}).n_stones == 3
    assert parcel_of(text, world, choices={"column:Foo": "n_stones"}).n_stones == 8
    assert parcel_of(text.replace("Foo", "Clarity"), world).n_stones == 3


def test_a_size_class_makes_no_stone_list(world: Words) -> None:
    parcel = parcel_of("Size,Carats\n+11,77.76\n-11+9,52.50\n", world)
    assert (parcel.n_stones, parcel.carats) == (0, 130.26)
    text = "Size,Carats\n+11,0.42\n+11,0.40\n-11+9,0.20\n"
    assert asked(text, world).code == "stones_or_cells"
    assert parcel_of(text, world, choices={"column:Size": "ignore"}).n_stones == 3


@pytest.mark.parametrize(
    ("header", "attribute", "words"),
    [
        ("Morpho", "morphology", ["octa", "maclées", "cassées"]),
        ("Cristal", "morphology", ["octaèdre", "macle", "cube"]),
        ("Type", "morphology", ["octahedron", "macle", "cube"]),
        ("Modèle", "morphology", ["octaèdre", "macle", "cube"]),
        ("Forme du cristal", "morphology", ["rond", "macle", "cube"]),
        ("Clr", "colour", ["white", "cape", "brown"]),
        ("Colour group", "colour", ["white", "cape", "brown"]),
        ("Coul.", "colour", ["enrobées vertes", "brunes", "-"]),
        ("Anything", "colour", ["white", "cape", "brown"]),
    ],
)
def test_attributes_under_any_name(header: str, attribute: str, words: list[str], world: Words) -> None:
    rows = "\n".join(f"0.{at + 2}1 ct,{word}" for at, word in enumerate(words))
    parcel = parcel_of(f"Poids net,{header}\n{rows}\n", world)
    assert parcel.stones is not None
    recorded = sum(word != "-" for word in words)
    assert int((parcel.stones.codes[attribute] >= 0).sum()) == recorded


def test_a_column_that_is_only_partly_an_attribute_is_asked_about(world: Words) -> None:
    problem = asked("Weight,Stuff\n0.4,white\n0.3,brown\n0.2,holey\n", world)
    assert (problem.code, problem.column) == ("attribute_or_other", "Stuff")
    assert "holey" in problem.reason


def test_words_that_no_package_knows_can_be_chosen(world: Words) -> None:
    text = "Size group,Model,Colour,Stones,Carats\n-9+7,Q7,white,60,9.00\n-11+9,macle,brown,20,5.00\n"
    problem = asked(text, world)
    assert (problem.code, problem.value) == ("unknown_class", "Q7")
    assert "reference package" in problem.reason
    parcel = parcel_of(text, world, choices={"morphology:Q7": "octahedron"})
    assert said(parcel)["classes"]["morphology"] == {"octahedron": 60, "macle": 20}


def test_the_mean_stone_lies_within_its_class(world: Words) -> None:
    problem = asked("Size,Stones,Carats\n+7,80,11.0\n+5,100,9.5\n", world)
    assert (problem.code, problem.row) == ("size_mean_outside", 3)
    assert asked("Size,Stones,Carats\n-11+7,80,16.0\n-9+5,100,9.5\n", world).code == "sizes_overlap"
    assert asked("Size,Stones,Carats\n-11+7,80,16.0\nhuge,1,9.5\n", world).code == "unknown_size"


def test_a_screen_in_a_title_may_bear_its_unit_and_a_decimal_comma(world: Words) -> None:
    for said in ("Bottom screen: 1.98 mm", "Crible inférieur : 1,98", "Crible inférieur : 1,98 mm"):
        parcel = parcel_of(f"{said}\nNo,Weight (ct),Colour\n1,0.35,brown\n2,0.42,white\n", world)
        assert parcel.conditions.bottom_screen_mm == 1.98


def test_grams_are_not_carats(world: Words) -> None:
    weighed = parcel_of("Poids (g);Couleur\n0,084;blanc\n", world)
    assert weighed.carats == pytest.approx(0.42)
    assert weighed.read_as is not None
    assert [note["code"] for note in weighed.read_as["notes"]] == ["in_carats"]
    assert asked("Poids (gr);Couleur\n0,084;blanc\n", world).code == "unknown_unit", "grams or grains"
    assert parcel_of("Poids;Couleur\n0,084 g;blanc\n", world).carats == pytest.approx(0.42)
    assert asked("Poids;Couleur\n0,084 gr;blanc\n", world).code == "unknown_unit"


def test_quotes_that_do_not_close_are_refused(world: Words) -> None:
    text = 'weight_ct,colour,morphology,remarks\n0.18,cape,flat,"chip 3mm\n0.20,brown,cube,\n0.30,cape,flat,5" light\n'
    problem = asked(text, world)
    assert (problem.code, problem.row) == ("bad_quotes", 2)
    broken = 'weight_ct,colour,remarks\n0.18,cape,x\n0.20,brown,"a\nb"\n'
    assert (asked(broken, world).code, asked(broken, world).row) == ("bad_quotes", 3)
    assert asked('weight_ct,colour,remarks\n0.18,cape,"x\n', world).code == "bad_quotes"
    assert parcel_of('weight_ct,colour,remarks\n0.18,cape,5" light\n0.2,brown,"a ""b"""\n', world).n_stones == 2


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_that_names_the_separator(first: str, world: Words) -> None:
    assert parcel_of(f"{first}\nPoids;Couleur\n0,42;blanc\n", world).carats == 0.42


def test_characters_that_nobody_sees(world: Words) -> None:
    assert parcel_of("weight_ct,colour\n0.42\u200b,wh\u200bite\n", world).carats == 0.42


MAIN = (
    "_index,Exportateur,Date export,infos/Zone d'extraction,_id\n"
    "1,Badica,2019-02-12,{one},77\n2,Badica,2019-02-12,{two},78\n"
)
REPEATS = (
    "pierres/poids,pierres/couleur,_index,_parent_table_name,_parent_index\n"
    "0.42,blanc,1,form,1\n0.31,brun,2,form,1\n0.25,cape,3,form,{last}\n"
)


def form_export(main: str, repeats: str) -> Upload:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("form.csv", main)
        archive.writestr("pierres_repeat.csv", repeats)
    return Upload("export.zip", made.getvalue())


def test_repeats_of_a_form_take_the_zone_of_their_parents(world: Words) -> None:
    upload = form_export(MAIN.format(one="Nola", two="Carnot"), REPEATS.format(last=2))
    found = read(upload, *world, one=True)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.n_stones, parcel.carats) == (3, 0.98)
    assert {item.zone_id: item.carats for item in parcel.declarations} == {"nola": 0.73, "carnot": 0.25}


def test_a_form_of_one_row_says_when_and_by_whom(world: Words) -> None:
    main = MAIN.format(one="Nola", two="Carnot").rpartition("2,Badica")[0]
    (parcel,) = read(form_export(main, REPEATS.format(last=1)), *world, one=True).parcels
    assert [item.zone_id for item in parcel.declarations] == ["nola"]
    assert (str(parcel.exported_on), parcel.exporter) == ("2019-02-12", "Badica")


SEVERAL = """Parcel,Exporter,Certificate,Export date,Sorter,Weight (ct),Colour
P1,Sodiam,CF-001,2024-03-11,S7,0.42,cape
P1,Sodiam,CF-001,2024-03-11,S7,0.31,brown
P2,{other},CF-002,2024-04-02,,0.55,cape
P2,Badica,CF-002,2024-04-02,,0.28,cape
"""


@pytest.mark.parametrize(("other", "exporters"), [("Badica", ["Sodiam", "Badica"]), ("", ["Sodiam", "Badica"])])
def test_one_table_of_several_parcels_says_what_is_of_each(world: Words, other: str, exporters: list[str]) -> None:
    found = read(Upload("shipment.csv", SEVERAL.format(other=other).encode()), *world)
    assert found.problems == ()
    assert [item.exporter for item in found.parcels] == exporters
    assert [item.certificate_no for item in found.parcels] == ["CF-001", "CF-002"]
    assert [str(item.exported_on) for item in found.parcels] == ["2024-03-11", "2024-04-02"]
    assert [item.conditions.sorter for item in found.parcels] == ["S7", None]


def test_what_differs_within_a_parcel_is_passed_over_with_a_word(world: Words) -> None:
    found = read(Upload("shipment.csv", SEVERAL.format(other="Sodiam").encode()), *world)
    assert [item.exporter for item in found.parcels] == [None, None]
    assert [item.certificate_no for item in found.parcels] == ["CF-001", "CF-002"]
    assert all(item.read_as is not None and "Exporter" in item.read_as["passed_over"] for item in found.parcels)


def test_a_second_column_of_one_field_is_passed_over_with_a_word(world: Words) -> None:
    text = SEVERAL.format(other="Badica").replace(",Sorter,", ",Exportateur,").replace(",S7,", ",Another,")
    found = read(Upload("shipment.csv", text.encode()), *world)
    assert [item.exporter for item in found.parcels] == ["Sodiam", "Badica"]
    assert all(item.read_as is not None and "Exportateur" in item.read_as["passed_over"] for item in found.parcels)


def test_a_repeat_without_its_parent_is_a_problem(world: Words) -> None:
    found = read(form_export(MAIN.format(one="Nola", two="Carnot"), REPEATS.format(last=9)), *world, one=True)
    assert found.parcels == ()
    assert [(item.code, item.row, item.value) for item in found.problems] == [("unknown_parent", 4, "9")]


@pytest.mark.parametrize(
    ("text", "code", "answer", "n_stones", "carats"),
    [
        ("Shape,Carats\nocta,12.5\nmacle,8.2\n", "lots_without_numbers", {"rows": "stones"}, 2, 20.7),
        ("Weight,Colour\n12,cape\n7,brown\n20,cape\n", "points_or_carats", {"weights": "carats"}, 3, 39.0),
        ("Size,White,Cape\n+9,60,40\n+11,50,50\n", "percent_or_numbers", {"shares": "numbers"}, 200, None),
        (
            "Size,Colour,Pcs,Cts\n+9,cape,40,9.6\n,brown,20,4.8\n+11,cape,10,4.0\n,grey,5,2.0\n",
            "blank_below",
            {"blanks": "as_above"},
            75,
            20.4,
        ),
    ],
)
def test_each_question_can_be_answered(
    text: str, code: str, answer: dict[str, str], n_stones: int, carats: float | None, world: Words
) -> None:
    found = asked(text, world)
    assert found.code == code
    assert next(iter(answer.items())) in found.values["choices"]
    parcel = parcel_of(text, world, choices=answer)
    assert (parcel.n_stones, parcel.carats) == (n_stones, carats)


def test_blank_sizes_that_go_on_are_those_above(world: Words) -> None:
    text = "Size,Colour,Pcs,Cts\n+9,cape,40,9.6\n,brown,20,4.8\n+11,cape,10,4.0\n,brown,5,2.0\n"
    assert said(parcel_of(text, world, choices={"blanks": "as_above"}))["classes"]["size"] == {"+9": 60, "+11": 15}


def test_ids_in_composed_and_decomposed_characters_are_one(world: Words) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("stones.csv", unicodedata.normalize("NFD", "parcel_id,weight_ct\nBé1,0.2\n"))
        archive.writestr("declarations.csv", unicodedata.normalize("NFC", "parcel_id,zone_id,carats\nBé1,nola,0.2\n"))
    (parcel,) = read(Upload("s.zip", made.getvalue()), *world, one=True).parcels
    assert [item.zone_id for item in parcel.declarations] == ["nola"]


def test_titles_and_columns_that_never_change_say_what_holds_for_the_parcel(world: Words) -> None:
    titles = "KP certificate: CAF 12\nNettoyage;bouilli\nTri : en cours\nZone : Nola\n"
    head = "N°;Poids;Couleur;Date d'export;Trieur\n"
    parcel = parcel_of(titles + head + "1;0,42;blanc;12 mars 2019;S1\n2;0,31;cape;12 mars 2019;S2\n", world)
    assert (parcel.certificate_no, parcel.conditions.cleaning_state) == ("CAF 12", "deep_boiled")
    assert (parcel.exported_on, parcel.conditions.sorter) == (date(2019, 3, 12), None)
    assert [item.zone_id for item in parcel.declarations] == ["nola"]
    assert parcel.read_as is not None
    assert parcel.read_as["passed_over"] == ["N°", "Trieur"]
    assert [note["text"] for note in parcel.read_as["notes"]] == [
        "the column Trieur says several things of one parcel (S1, S2), and is not read",
        "the title Tri : en cours is not read",
    ]


def test_tables_side_by_side_are_one_parcel_where_that_is_said(world: Words) -> None:
    text = "N°;Poids;Couleur;;N°;Poids;Couleur\n1;0,42;blanc;;3;0,27;brun\n2;0,31;cape;;;;\n"
    assert asked(text, world).code == "tables_beside"
    parcel = parcel_of(text, world, choices={"tables": "one"})
    assert (parcel.n_stones, parcel.carats) == (3, 1.0)
    head = "Size,Pcs,Cts\n"
    below = f"Parcel: A-1\n{head}+11,10,5.2\nTotal,10,5.2\nParcel: A-2\n{head}+11,20,10.4\nTotal,20,10.4\n"
    assert asked(below, world).code == "several_parcels"
    assert parcel_of(below, world, choices={"tables": "one"}).n_stones == 30


@pytest.mark.parametrize(
    "text",
    [
        "Parcel: A\nSize,Pcs,Cts\n+11,10,5.2\nTotal,10,5.2\n\nParcel: B\nSize,Pcs,Cts\n+11,20,10.4\nTotal,20,10.4\n",
        "Size,Pcs,Cts\nParcel A,,\n+11,10,5.2\nParcel B,,\n+11,20,10.4\nTotal,30,15.6\n",
        "Parcel,Size,Pcs,Cts\nA,+11,6,3.1\n,+12,4,2.1\nB,+11,18,9.4\n,+12,2,1.0\n",
    ],
)
def test_parcels_below_each_other_are_told_apart_by_what_names_them(text: str, world: Words) -> None:
    found = reading(text, world, one=False)
    assert found.problems == ()
    assert {parcel.parcel_id: parcel.n_stones for parcel in found.parcels} == {"A": 10, "B": 20}


def test_ids_that_differ_by_zeros_or_capitals_alone_are_no_two_parcels(world: Words) -> None:
    found = reading("parcel_id,weight_ct\n0012,0.4\n12,0.5\nP1,0.3\n", world, one=False)
    assert [parcel.parcel_id for parcel in found.parcels] == ["P1"]
    assert {problem.code for problem in found.problems} == {"ids_alike"}


def test_carats_that_stand_in_the_total_alone_are_stated_of_the_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    for last in ("Total;100;30", ";100;30"):
        text = f"Size;Stones;Carats\n+11;40;\n-11+9;60;\n{last}\n"
        (parcel,) = read(Upload("s.csv", text.encode()), scheme, zone_table, one=True).parcels
        assert (parcel.n_stones, parcel.carats, parcel.declared_carats) == (100, None, 30.0)


@pytest.mark.parametrize(
    "text",
    [
        "Size,Stones/Carats\n+9-11,12/3.40\n+11-12,5/2.10\nTotal,17/5.50\n",
        "Tamis;Cts / Pcs\n+9-11;3,40 / 12\n+11-12;2,10 / 5\n",
    ],
)
def test_stones_and_carats_may_share_a_cell_below_a_header_of_both(text: str, world: Words) -> None:
    parcel = parcel_of(text, world)
    assert (parcel.n_stones, parcel.carats) == (17, 5.5)
    assert said(parcel)["classes"]["size"] == {"+9": 12, "+11": 5}


def test_a_total_in_a_shared_cell_is_checked_and_stones_per_carat_are_no_pairs(world: Words) -> None:
    found = asked("Size,Stones/Carats\n+9-11,12/3.40\n+11-12,5/2.10\nTotal,17/5.60\n", world)
    assert (found.code, found.column, found.row) == ("total_disagrees", "Carats", 4)
    parcel = parcel_of("Size,Pcs,Cts,Stones/Carats\n+9-11,12,3.40,3.5\n+11-12,5,2.10,2.4\n", world)
    assert (parcel.n_stones, parcel.carats) == (17, 5.5)


def test_each_class_may_have_its_stones_and_carats_in_one_cell(world: Words) -> None:
    parcel = parcel_of("Size,White pcs/cts,Brown pcs/cts\n+9-11,12/3.40,3/0.80\n+11-12,5/2.10,1/0.50\n", world)
    assert (parcel.n_stones, parcel.carats) == (21, 6.8)
    assert said(parcel)["classes"]["colour"] == {"colourless": 17, "brown": 4}
    assert said(parcel)["passed_over"] == []
