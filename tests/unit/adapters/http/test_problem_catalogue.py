from adapters.http.catalogue import SOURCES, error_catalogue, error_classes
from adapters.http.kinds import KINDS, kind_of
from domain.shared.errors import StoaError
from tests.architecture.source_tree import SRC, module_of


def test_every_module_of_errors_is_a_source() -> None:
    modules = {module_of(path) for path in (SRC / "domain").glob("*/errors.py")}

    assert modules <= {source.__name__ for source in SOURCES}


def test_every_error_has_a_kind_of_its_own_or_of_an_ancestor_below_the_root() -> None:
    unmapped = [
        error.__name__
        for error in error_classes()
        if error is not StoaError and kind_of(error) is KINDS[StoaError]
    ]

    assert unmapped == []


def test_every_code_is_described() -> None:
    silent = [entry.code for entry in error_catalogue().values() if not entry.description]

    assert silent == []
