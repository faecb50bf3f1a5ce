import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.local.schema_patterns import enforceable


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        ("^abc$", "^abc$"),
        ("^(a|b){2,3}c*d+e?$", "^(a|b){2,3}c*d+e?$"),
        (r"^\d{3}$", "^[0-9]{3}$"),
        (r"^\w$", "^[0-9A-Z_a-z]$"),
        (r"^[\w.-]+$", r"^[\--.0-9A-Z_a-z]+$"),
        (r"^[\w-.]$", r"^[\--.0-9A-Z_a-z]$"),
        ("^[ -~]$", r"^[ -!#-\[\]-~]$"),
        (r"^a\/b\.\$$", r"^a/b\.\$$"),
        (r"^\x41\u0042$", "^AB$"),
        ("^a{,2}$", r"^a\{,2\}$"),
        ("^[a]$", "^a$"),
        (r"^\n\\$", r"^(?:\\n)(?:\\\\)$"),
        ('^"$', r'^(?:\\")$'),
        (r"^\x00$", r"^(?:\\u0000)$"),
    ],
)
def test_says_the_same_in_the_words_of_the_grammar(pattern: str, plain: str) -> None:
    assert enforceable(pattern) == plain


@pytest.mark.parametrize(
    "pattern",
    [
        "^(?!a)b$",
        "^(?P<a>b)$",
        r"^(a)\1$",
        r"^\bword$",
        r"^\p{L}$",
        "^a$|^b$",
        "^a\\",
        "^[a",
        "^[z-a]$",
        r"^[a-\d]$",
        '^["]["\\\\]$',
    ],
)
def test_does_not_promise_what_it_cannot_keep(pattern: str) -> None:
    assert enforceable(pattern) is None


# What each of them matches in JSON's text, and so may come out of the model.
TEXTS = st.text(st.sampled_from("abcXYZ019_-.@/ é😀"), max_size=8)


@pytest.mark.parametrize(
    "pattern",
    ["ab", "^ab", "b$", ".", r"^[^\s@]+@[^\s@]+$", r"\d", r"^\S*$", r"^[\s\S]{2}$", "^.{0,3}$"],
)
@given(text=TEXTS)
def test_what_the_grammar_lets_pass_fits_the_pattern(pattern: str, text: str) -> None:
    narrowed = enforceable(pattern)

    assert narrowed is not None
    assert bool(re.search(narrowed, text)) == bool(re.search(pattern, text))


@pytest.mark.parametrize("pattern", ["^a|b", "a|b$", "^a|b$"])
@given(text=TEXTS)
def test_what_it_narrows_still_fits(pattern: str, text: str) -> None:
    narrowed = enforceable(pattern)

    assert narrowed is not None
    assert not re.search(narrowed, text) or re.search(pattern, text)


@pytest.mark.parametrize("pattern", [".", "[^a]", r"\S", r"\D", r"\W", r"[\s\S]", "[ -~]", "[!-~]"])
def test_no_string_can_end_early(pattern: str) -> None:
    narrowed = enforceable(f"^{pattern}$")

    assert narrowed is not None
    for code in (*range(0x20), ord('"'), ord("\\")):
        assert re.search(narrowed, chr(code)) is None


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\t", "\r", "\x01"])
def test_a_literal_stands_in_its_json_form(text: str) -> None:
    narrowed = enforceable(f"^{re.escape(text)}$")

    assert narrowed is not None
    assert re.search(narrowed, json.dumps(text)[1:-1])
