from decimal import Decimal

import click
import pytest

from domain.models.prices import Prices
from domain.models.served_model import ModelKind
from entrypoints.cli.price_options import whole_prices

ONE = Decimal(1)
NOTHING = Decimal(0)


@pytest.mark.parametrize("kind", [ModelKind.CHAT, None])
@pytest.mark.parametrize(
    ("given", "missing"),
    [("input", "output is missing"), ("output", "input is missing"), ("request", "are missing")],
)
def test_what_a_chat_costs_is_said_and_not_left_free(
    kind: ModelKind | None, given: str, missing: str
) -> None:
    with pytest.raises(click.UsageError, match=missing):
        whole_prices({given: ONE}, (), kind)


def test_what_has_no_output_need_not_say_that_it_costs_nothing() -> None:
    found = whole_prices({"input": ONE}, (), ModelKind.EMBEDDING)

    assert found == Prices(input=ONE, output=NOTHING)


def test_what_is_no_text_has_prices_of_its_own() -> None:
    found = whole_prices({"second": ONE}, (), ModelKind.TRANSCRIPTION)

    assert found == Prices(input=NOTHING, output=NOTHING, second=ONE)
