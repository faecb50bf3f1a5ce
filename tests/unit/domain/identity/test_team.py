import pytest

from domain.shared.errors import InvalidError
from tests.builders import a_team


def test_a_team_takes_a_new_name() -> None:
    team = a_team(name="Acme")

    team.rename(" Acme Research ")

    assert team.name == "Acme Research"


def test_a_team_keeps_its_name_when_the_new_one_is_bad() -> None:
    team = a_team(name="Acme")

    with pytest.raises(InvalidError):
        team.rename(" ")

    assert team.name == "Acme"
