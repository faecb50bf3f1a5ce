"""Whatever a text says, looking at it takes time in proportion to its length."""

from time import process_time

import pytest

from domain.inference.guardrails.channel import TextChannel
from domain.inference.guardrails.screen import Screen

MEGABYTE = 1_000_000
MOST_S = 20.0
ALL = ("email", "phone", "credit_card", "iban", "ip_address", "secret")
DENIED = tuple(f"word{n} again" for n in range(1000))
UNITS = (
    "a",
    "7",
    " ",
    "-",
    ".",
    ":",
    "@",
    "a.",
    "a@",
    "a@a.",
    "1.",
    "1 ",
    "+1",
    "+1-(",
    "::",
    "A1 ",
    "DE89",
    "DE89 ",
    "eyJ",
    "eyJaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "- ",
    "sk-",
    "\\",
    "word1 ",
    "word1  ",
    "4111 1111 1111 1112 ",
    "ann@example.com ",
    "\n",
    "é",
    "xyz, ",
    "\u200b",
    "7\u200d",
    "\ufdfa",
)


@pytest.mark.parametrize("unit", ["DE89 ", "4111 1111 1111 1112 ", "a@a."])
def test_a_megabyte_is_looked_at_in_time(unit: str) -> None:
    text = (unit * (MEGABYTE // len(unit) + 1))[:MEGABYTE]
    screen = Screen(ALL, DENIED)
    began = process_time()

    for _ in screen.findings(text):
        pass

    assert process_time() - began < MOST_S


@pytest.mark.parametrize("unit", UNITS)
def test_a_stream_of_small_pieces_is_looked_at_in_time(unit: str) -> None:
    text = (unit * (MEGABYTE // len(unit) + 1))[: MEGABYTE // 100]
    channel = TextChannel(Screen(ALL, DENIED), lambda _: True)
    began = process_time()

    for place in range(0, len(text), 4):
        channel.feed(text[place : place + 4])
    channel.end()

    assert process_time() - began < MOST_S
