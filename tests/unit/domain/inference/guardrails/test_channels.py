import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inference.guardrails.channel import JsonChannel, TextChannel
from domain.inference.guardrails.finding import Finding
from domain.inference.guardrails.screen import Screen, screen_of

ALL = ("email", "phone", "credit_card", "iban", "ip_address", "secret")
DENIED = ("blue whale", "c++", "straße", "Hydra", "café noir")
SCREEN = screen_of(ALL, DENIED)
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/=\nProc-Type: 4\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_-123"
PIECES = (
    "ann@example.com",
    "a.b+c@mail.example.co.uk",
    "+49 (30) 1234-5678",
    "+1 202 555 0100",
    "4111 1111 1111 1111",
    "4111111111111111",
    "4111 1111 1111 1112",
    "123",
    "DE89 3704 0044 0532 0130 00",
    "GB29NWBK60161331926819",
    "gb29nwbk60161331926819",
    "DE89 3704",
    "10.0.0.255",
    "10.0.0.256",
    "fe80::1",
    "2001:db8:0:0:0:0:0:1",
    "12:30:45",
    "::",
    "sk-abcdefghijklmnopqrstuvwx",
    "AKIAABCDEFGHIJKLMNOP",
    JWT,
    KEY,
    "-----BEGIN RSA",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "-----",
    "blue",
    "whale",
    "BLUE\n\nWhale",
    "C++",
    "STRASSE",
    "CAFE\u0301 noir",
    "café",
    "\u0301",
    "\uff48\uff59\uff44\uff52\uff41",
    "hydra",
    "hydras",
    "@",
    ".",
    ",",
    " ",
    "  ",
    "\n",
    "-",
    "_",
    "é",
    "語",
    "\u200b",
    "\u00ad",
    "\u200d\ufe0f",
    "\U000e0061",
    "\u202e",
    "\u1100\u115f",
    "\u00a0",
    "\ufb01",
    "\u2474",
    "\ufdfa",
    "\uff14\uff11\uff11\uff11",
    "\u0e01\u200b",
    "\x00",
    '"',
    "\\",
    "THE CAPITAL LETTERS",
    "and so on",
    "x" * 70,
    "7" * 25,
    "/",
    ":",
    "(",
    ")",
    "+",
    "=",
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


def redacted(channel: Any, *pieces: str) -> str:
    return "".join([*map(channel.feed, pieces), channel.end()])


def text_channel(screen: Screen = SCREEN) -> TextChannel:
    return TextChannel(screen, lambda _: True)


def divided(text: str, cuts: list[int]) -> list[str]:
    places = sorted({cut % (len(text) + 1) for cut in cuts})
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@settings(max_examples=200)
@given(texts, st.lists(st.integers(0, 10_000), max_size=30))
def test_where_a_text_is_divided_makes_no_difference(text: str, cuts: list[int]) -> None:
    whole = redacted(text_channel(), text)

    assert redacted(text_channel(), *divided(text, cuts)) == whole
    assert redacted(text_channel(), *text) == whole


@settings(max_examples=200)
@given(
    st.dictionaries(texts, texts | st.integers() | st.just(4111111111111111)),
    st.booleans(),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_json_stays_json_wherever_it_is_divided(
    value: dict[str, object],
    ascii_only: bool,
    cuts: list[int],
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)

    whole = redacted(JsonChannel(SCREEN, lambda _: True), text)

    json.loads(whole)
    assert redacted(JsonChannel(SCREEN, lambda _: True), *divided(text, cuts)) == whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to ann@example.com.", "write to [EMAIL]."),
        ("<ann@example.com>", "<[EMAIL]>"),
        ("call +49 (30) 1234-5678!", "call [PHONE]!"),
        ("call 030 12345678", "call 030 12345678"),
        ("card 4111 1111 1111 1111, 123", "card [CREDIT_CARD], 123"),
        ("card 4111 1111 1111 1111 123", "card [CREDIT_CARD] 123"),
        ("no card 4111111111111112", "no card 4111111111111112"),
        ("IBAN DE89 3704 0044 0532 0130 00 OF ANN", "IBAN [IBAN] OF ANN"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("at 10.0.0.255:80, not 10.0.0.256", "at [IP_ADDRESS]:80, not 10.0.0.256"),
        ("at fe80::1.", "at [IP_ADDRESS]."),
        ("std::vector at 12:30:45", "std::vector at 12:30:45"),
        (f"key: {KEY}.", "key: [SECRET]."),
        (f"Bearer {JWT}", "Bearer [SECRET]"),
        ("sk-stoa-" + "a" * 30, "[SECRET]"),
        ("a Blue\n Whale, blue-whale", "a [DENIED], blue-whale"),
        ("hydras HYDRA C++ c", "hydras [DENIED] [DENIED] c"),
        ("die STRASSE", "die [DENIED]"),
        ("a CAFE\u0301 Noir", "a [DENIED]"),
        (
            "\uff48\uff59\uff44\uff52\uff41 and \U0001d421\U0001d432\U0001d41d\U0001d42b\U0001d41a",
            "[DENIED] and [DENIED]",
        ),
        ("hydra\u0301", "hydra\u0301"),
        ("to de89370400440532013000.", "to [IBAN]."),
        ("to xde89370400440532013000", "to xde89370400440532013000"),
    ],
)
def test_what_is_found_is_replaced(text: str, shown: str) -> None:
    assert redacted(text_channel(), text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"to":"\\nann@example.com\\n"}', '{"to":"\\n[EMAIL]\\n"}'),
        ('{"to":"ann\\u0040example.com"}', '{"to":"[EMAIL]"}'),
        ('{"card":-4111111111111111}', '{"card":-0}'),
        ('{"a":"\\"","b":"c++"}', '{"a":"\\"","b":"[DENIED]"}'),
        ("no json \\u12", "no json \\u12"),
        ("no json \\ux and more", "no json \\ux and more"),
    ],
)
def test_what_is_found_in_json_is_replaced(text: str, shown: str) -> None:
    assert redacted(JsonChannel(SCREEN, lambda _: True), text) == shown


def test_a_text_without_findings_is_shown_word_by_word() -> None:
    channel = text_channel(screen_of(ALL, ()))

    shown = [channel.feed(word) for word in ("Hello", " dear", " reader", ", 語", "語")]

    assert shown == ["", "Hello", " dear", " reader, ", "語"]


def test_what_is_only_reported_stays() -> None:
    seen: list[Finding] = []

    def judge(finding: Finding) -> bool:
        seen.append(finding)
        return False

    shown = redacted(TextChannel(SCREEN, judge), "to ann@example.com")

    assert shown == "to ann@example.com"
    assert [one.rule for one in seen] == ["pii:email"]
