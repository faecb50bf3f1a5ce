import pytest

from adapters.http.spreadsheet import csv_lines


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("a; @SUM(A1)", "a; '@SUM(A1)"),
        ("a\t-1", "a\t'-1"),
        ("\t=1", "'\t'=1"),
        ("=a;=b;=c", "'=a;'=b;'=c"),
    ],
)
def test_no_cell_begins_a_formula_whatever_the_spreadsheet_ends_cells_at(
    text: str, written: str
) -> None:
    assert csv_lines([[text]]) == f"{written}\r\n".encode()


@pytest.mark.parametrize("text", ["plain", "a; b", "Mozilla/5.0 (X11; Linux)", "3-4", "a\tb"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert csv_lines([[text]]) == f"{text}\r\n".encode()
