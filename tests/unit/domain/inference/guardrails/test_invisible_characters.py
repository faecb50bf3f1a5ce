"""What is written with characters that nobody sees, or with others that mean the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.inference.guardrails.channel import JsonChannel, TextChannel
from domain.inference.guardrails.screen import screen_of
from domain.shared.folding import fold, is_invisible

SCREEN = screen_of(
    ("email", "phone", "credit_card", "iban", "ip_address", "secret"),
    ("hydra", "blue whale", "wa\u00adter", "ห้าม", "\u30ac"),
)
INVISIBLE = {
    "zero-width space": "\u200b",
    "zero-width non-joiner": "\u200c",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "variation selector": "\ufe0f",
    "ideographic variation selector": "\U000e0101",
    "Mongolian vowel separator": "\u180e",
    "left-to-right mark": "\u200e",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "Arabic letter mark": "\u061c",
    "Hangul filler": "\u3164",
    "tag": "\U000e0061",
    "invisible plus": "\u2064",
    "deprecated control": "\u206a",
    "NUL": "\x00",
}
HIDDEN = {
    "hydra": "[DENIED]",
    "Blue  Whale": "[DENIED]",
    "water": "[DENIED]",
    "ann@example.com": "[EMAIL]",
    "4111 1111 1111 1111": "[CREDIT_CARD]",
    "DE89370400440532013000": "[IBAN]",
    "+49 30 12345678": "[PHONE]",
    "10.0.0.255": "[IP_ADDRESS]",
    "AKIAABCDEFGHIJKLMNOP": "[SECRET]",
}


def redacted(channel: Any, *pieces: str) -> str:
    return "".join([*map(channel.feed, pieces), channel.end()])


def text_channel() -> TextChannel:
    return TextChannel(SCREEN, lambda _: True)


def json_channel() -> JsonChannel:
    return JsonChannel(SCREEN, lambda _: True)


@pytest.mark.parametrize("invisible", INVISIBLE.values(), ids=INVISIBLE)
def test_what_nobody_sees_hides_nothing(invisible: str) -> None:
    for hidden, placeholder in HIDDEN.items():
        text = f"a {invisible}{invisible.join(hidden)}{invisible}, b"
        shown = f"a {invisible}{placeholder}{invisible}, b"

        assert redacted(text_channel(), text) == shown
        assert redacted(text_channel(), *text) == shown
        for ascii_only in (True, False):
            body = json.dumps({"x": text}, ensure_ascii=ascii_only)
            assert json.loads(redacted(json_channel(), body)) == {"x": shown}
            assert json.loads(redacted(json_channel(), *body)) == {"x": shown}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\uff41\uff4e\uff4e\uff20\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com", "[EMAIL]"),
        ("\uff14111\u00a01111\u20071111\u202f1111", "[CREDIT_CARD]"),
        ("4111\u20111111\u20131111\u22121111", "[CREDIT_CARD]"),
        ("+\u0664\u0669 30 1234\u096b678", "[PHONE]"),
        ("\u2474111 1111 1111 1111", "\u2474111 1111 1111 1111"),
        ("\u2474+49 30 12345678\u2474", "\u2474[PHONE]"),
        ("de\ufb01ne ann@e\ufb01.com", "de\ufb01ne [EMAIL]"),
        ("HYDRA \u24d7\u24e8\u24d3\u24e1\u24d0 \U0001d421ydra", "[DENIED] [DENIED] [DENIED]"),
        ("\uff76\uff9e", "[DENIED]"),
    ],
)
def test_what_is_written_with_others_of_the_same_meaning_is_found(text: str, shown: str) -> None:
    assert redacted(text_channel(), text) == shown
    assert redacted(text_channel(), *text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष and क्\u200cष",
        "\U0001f469\u200d\U0001f4bb \u2764\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "co\u00adop\u00ader\u00ada\u00adtion\u00ad",
        "\ufb01ne \u00bd \u2122 \u2026\u202e abc \u202c",
        "\u0600\u0661\u0662",
        "hydra\u200bs",
    ],
)
def test_what_passes_stays_as_it_was(text: str) -> None:
    assert redacted(text_channel(), text) == text
    assert redacted(text_channel(), *text) == text
    body = json.dumps(text)
    assert redacted(json_channel(), *body) == body


def test_zero_width_spaces_divide_words_of_scripts_without_blanks() -> None:
    assert redacted(text_channel(), "เขา\u200bห้าม\u200bเข้า") == "เขา\u200b[DENIED]\u200bเข้า"
    assert redacted(text_channel(), *"เขา\u200bห้าม\u200bเข้า") == "เขา\u200b[DENIED]\u200bเข้า"


@pytest.mark.parametrize("make", [text_channel, json_channel], ids=["text", "json"])
def test_what_is_held_back_is_bounded(make: Any) -> None:
    channel = make()

    for _ in range(50):
        channel.feed("hy" + "\u200b\u00ad" * 499)

    assert len(channel.end()) < 20_000


def test_a_word_is_found_behind_whatever_many_invisible_characters() -> None:
    text = "hyd" + "\u200b" * 20_000 + "ra!"

    assert redacted(text_channel(), text) == "[DENIED]!"
    assert redacted(text_channel(), *(text[n : n + 7] for n in range(0, len(text), 7))) == (
        "[DENIED]!"
    )


@given(st.text(), st.text(max_size=1))
def test_a_folded_text_has_as_many_characters_as_it_says(text: str, before: str) -> None:
    folded, widths = fold(text, before)

    assert len(folded) == (len(text) if widths is None else sum(widths))
    assert widths is None or len(widths) == len(text)
    assert not any(map(is_invisible, folded))
