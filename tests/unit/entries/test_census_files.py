"""The file format of the UCI "Adult" data: what is read, and what is said of a mistake."""

from pathlib import Path

import pytest

from tests.support.artifacts.census import CLERK, UNKNOWN_WORK, changed

import adult  # isort: skip  (beside the entry, found by the line above)


def read(*lines: str) -> adult.People:
    return adult.parse_adult(lines, "adult.data")


def test_a_line_is_a_person_of_14_columns_and_a_class() -> None:
    people = read(CLERK)

    assert len(people) == 1
    assert {name: int(values[0]) for name, values in people.columns.items()} == {
        "age": 39, "workclass": 5, "fnlwgt": 77516, "education": 0, "education-num": 13, "marital-status": 2,
        "occupation": 8, "relationship": 3, "race": 0, "sex": 1, "capital-gain": 2174, "capital-loss": 0,
        "hours-per-week": 40, "native-country": 0,
    }  # fmt: skip
    assert people.earns_more.tolist() == [0]


def test_a_question_mark_is_an_unknown_category() -> None:
    people = read(CLERK, UNKNOWN_WORK)

    assert people.columns["workclass"].tolist() == [5, adult.UNKNOWN]
    assert people.named("workclass").tolist() == ["State-gov", "?"]
    assert people.named("occupation").tolist() == ["Adm-clerical", "?"]
    assert people.earns_more.tolist() == [0, 1]


def test_the_test_file_has_a_line_about_itself_dots_behind_the_classes_and_an_empty_end(tmp_path: Path) -> None:
    path = tmp_path / "adult.test"
    path.write_text(f"|1x3 Cross validator\n{CLERK}.\n{UNKNOWN_WORK}.\n\n")

    assert adult.read_adult(path).earns_more.tolist() == [0, 1]


def test_spaces_behind_the_commas_do_not_matter() -> None:
    assert list(adult.lines_of(read(UNKNOWN_WORK.replace(", ", ",")))) == [UNKNOWN_WORK]


@pytest.mark.parametrize("dotted", [False, True])
def test_people_are_written_as_they_are_read(dotted: bool) -> None:
    lines = [line + ("." if dotted else "") for line in (CLERK, UNKNOWN_WORK)]

    assert list(adult.lines_of(read(*lines), dotted)) == lines


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (changed(CLERK, 2, "State-gvo"), "column 2 (workclass) is 'State-gvo', which the format does not have; "
            "did you mean 'State-gov'?"),
        (changed(CLERK, 9, "Klingon"), "column 9 (race) is 'Klingon', which the format does not have; it has White, "
            "Asian-Pac-Islander, Amer-Indian-Eskimo, Other, Black."),
        (changed(CLERK, 10, "male"), "column 10 (sex) is 'male', which the format does not have; did you mean 'Male'?"),
        (changed(CLERK, 1, "39.5"), "column 1 (age) is '39.5'; write a whole number from 0 to 130."),
        (changed(CLERK, 1, "-39"), "column 1 (age) is '-39'; write a whole number from 0 to 130."),
        (changed(CLERK, 1, "٣٩"), "column 1 (age) is '٣٩'; write a whole number from 0 to 130."),
        (changed(CLERK, 11, "9" * 5000), "column 11 (capital-gain) is '999999999999...9999999999999'; "
            "write a whole number from 0 to 999999."),
        (changed(CLERK, 1, "390"), "column 1 (age) is 390; it goes from 0 to 130."),
        (changed(CLERK, 5, "0"), "column 5 (education-num) is 0; it goes from 1 to 16."),
        (changed(CLERK, 13, "?"), "column 13 (hours-per-week) is unknown (?), which only a category may be; "
            "leave the line out."),
        (changed(CLERK, 13, ""), "column 13 (hours-per-week) is ''; write a whole number from 0 to 168."),
        (changed(CLERK, 15, "50K"), "column 15 (income) is '50K'; write <=50K or >50K, with or without a dot "
            "behind it."),
        (changed(CLERK, 15, "?"), "column 15 (income) is '?'; write <=50K or >50K"),
        (CLERK.rsplit(", ", 1)[0], " has 14 columns; the format has 15: age, workclass, "),
        (CLERK + ", 1", " has 16 columns; the format has 15: age, workclass, "),
        (CLERK.replace(",", ";"), " has 1 column; the format has 15: age, "),
        (", ".join([*adult.COLUMNS, "income"]), " names the columns, which the format does not; take that line out."),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_column(line: str, sentence: str) -> None:
    with pytest.raises(adult.NotAdult) as refused:
        read("|1x3 Cross validator", CLERK, line)

    assert str(refused.value).startswith("adult.data, line 3")
    assert sentence in str(refused.value)


@pytest.mark.parametrize("text", ["", "\n\n", "|1x3 Cross validator\n"])
def test_a_file_about_nobody_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "adult.data"
    path.write_text(text)

    with pytest.raises(adult.NotAdult, match=r"^adult\.data describes nobody; it needs a line of 14 columns"):
        adult.read_adult(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adult.data"
    path.write_bytes(b"\x1f\x8b\x08\x00")

    with pytest.raises(adult.NotAdult, match=r"^adult\.data is no text \(byte 1\); unpack it"):
        adult.read_adult(path)
