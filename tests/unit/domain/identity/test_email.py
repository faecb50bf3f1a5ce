import pytest

from domain.identity.email import normalise_email
from domain.shared.errors import InvalidError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.L+x@EXAMPLE.com\n", "ada.l+x@example.com"),
        ("\uff41\uff44\uff41@example.com", "ada@example.com"),
        ("JÜRGEN@müller.example", "jürgen@müller.example"),
        ("o'hara@mail.example-site.co", "o'hara@mail.example-site.co"),
        ("用户@例子.广告", "用户@例子.广告"),
    ],
)
def test_writes_an_address_in_one_way(text: str, address: str) -> None:
    assert normalise_email(text) == address == normalise_email(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@@example.com",
        "ada b@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "ada@example..com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exam_ple.com",
        "ada\0@example.com",
        "ada\r\nBcc: all@example.com",
        '"ada"@example.com',
        "Ada <ada@example.com>",
        "a" * 65 + "@example.com",
        "ada@" + "a." * 130 + "com",
        "ada@" + "a" * 64 + ".com",
    ],
)
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        normalise_email(text)

    assert refused.value.param == "email"
