from dataclasses import dataclass
from time import process_time

import pytest

from application.shared.masking import MASK, OMITTED, is_secret_name, mask, mask_text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "api_key",
        "apiKey",
        "X-Api-Key",
        "Authorization",
        "set-cookie",
        "STOA_SECRET_KEY",
        "metrics_token",
        "client_secret",
        "private_key_pem",
    ],
)
def test_names_of_credentials_are_recognised(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["prompt_tokens", "max_tokens", "key_id", "author", "model", "keys", "first_token"]
)
def test_names_of_counts_and_ids_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Incorrect key sk-abcdefgh12345678.", f"Incorrect key sk-{MASK}."),
        ("sk-stoa-Abc_def-123456", f"sk-stoa-{MASK}"),
        ("Authorization: Bearer abc.def.ghi", f"Authorization: Bearer {MASK}"),
        ("postgresql://stoa:hunter2@db:5432/stoa", f"postgresql://stoa:{MASK}@db:5432/stoa"),
        ("?password=hunter2&x=1", f"?password={MASK}&x=1"),
        ("?sslpassword=hunter2&x=1", f"?sslpassword={MASK}&x=1"),
        ("OPENAI_API_KEY=hunter2 is set", f"OPENAI_API_KEY={MASK} is set"),
        ("prompt_tokens=12345", None),
        ('{"api_key": "hunter2"}', f'{{"api_key": "{MASK}"}}'),
        ("nothing to hide at http://localhost:8000/v1", None),
    ],
)
def test_credentials_inside_text_are_masked(text: str, masked: str | None) -> None:
    assert mask_text(text) == (masked or text)


@pytest.mark.parametrize("part", ["a-", "a", "a://", "a://b:", "token=", "bearer ", "sk-", "_"])
def test_long_texts_are_masked_in_no_time(part: str) -> None:
    text = part * (60_000 // len(part))

    started = process_time()
    mask_text(text)

    assert process_time() - started < 5


def test_nested_values_are_masked_and_contents_left_out() -> None:
    value = {
        "headers": [{"authorization": "anything"}, {"accept": "*/*"}],
        "login": {"password": 1234, "attempts": 2},
        "messages": [{"role": "user", "content": "a secret diagnosis"}],
        "raw": b"bytes",
    }

    masked = mask(value)

    assert masked == {
        "headers": [{"authorization": MASK}, {"accept": "*/*"}],
        "login": {"password": MASK, "attempts": 2},
        "messages": OMITTED,
        "raw": OMITTED,
    }


def test_members_of_dataclasses_are_masked_by_their_names() -> None:
    @dataclass
    class Login:
        user: str
        secret: str

    assert mask(Login(user="zeno", secret="hunter2")) == {"user": "zeno", "secret": MASK}


def test_endless_nesting_ends() -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless

    assert OMITTED in str(mask(endless))
