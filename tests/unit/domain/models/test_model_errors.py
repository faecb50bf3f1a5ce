from domain.models.errors import (
    CatalogError,
    ModelNotAllowedError,
    ModelNotFoundError,
    WrongModelKindError,
)
from domain.models.served_model import ModelKind


def test_a_mistake_in_the_file_comes_with_its_line_where_that_is_known() -> None:
    error = CatalogError("unknown key 'modles'", line=3)

    assert (error.message, error.line) == ("line 3: unknown key 'modles'", 3)


def test_a_mistake_without_a_line_is_told_as_it_is() -> None:
    error = CatalogError("the file is empty")

    assert (error.message, error.line) == ("the file is empty", None)


def test_refusals_name_the_model() -> None:
    assert ModelNotFoundError("large").name == "large"
    assert ModelNotAllowedError("large").name == "large"
    assert "'large'" in ModelNotFoundError("large").message
    assert "'large'" in ModelNotAllowedError("large").message


def test_a_wrong_kind_names_the_parameter() -> None:
    error = WrongModelKindError("vectors", ModelKind.EMBEDDING)

    assert error.param == "model"
    assert "'vectors' is of kind 'embedding'" in error.message
