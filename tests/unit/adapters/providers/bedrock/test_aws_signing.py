"""The vectors are those of Amazon's published test suite for Signature Version 4."""

from datetime import UTC, datetime

import pytest

from adapters.providers.bedrock.signing import AwsCredentials, Signer

AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPf"
    "IeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7W"
    "Z0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8F"
    "DrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
HOST = {"host": "example.amazonaws.com"}


def a_signer(token: str | None = None) -> Signer:
    credentials = AwsCredentials(
        access_key_id="AKIDEXAMPLE", secret_access_key=SECRET, session_token=token
    )
    return Signer(credentials=credentials, region="us-east-1", service="service")


@pytest.mark.parametrize(
    ("token", "headers", "body", "names", "signature"),
    [
        (
            None,
            {},
            b"",
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            None,
            {"my-header1": "VALUE1"},
            b"",
            "host;my-header1;x-amz-date",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            None,
            {"content-type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            TOKEN,
            {},
            b"",
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ],
    ids=["post-vanilla", "post-header-value-case", "post-x-www-form-urlencoded", "post-sts-token"],
)
def test_signs_as_the_published_vectors_say(
    token: str | None, headers: dict[str, str], body: bytes, names: str, signature: str
) -> None:
    added = dict(a_signer(token).headers("/", HOST | headers, body, AT))

    assert added["x-amz-date"] == "20150830T123600Z"
    assert added.get("x-amz-security-token") == token
    assert added["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"path": "/model/a%3Bb/converse"},
        {"body": b"{ }"},
        {"headers": {"host": "example.com"}},
        {"at": datetime(2015, 8, 31, 12, 36, tzinfo=UTC)},
    ],
    ids=["path", "body", "host", "day"],
)
def test_the_signature_covers_everything(other: dict[str, object]) -> None:
    same: dict[str, object] = {
        "path": "/model/a%3Ab/converse",
        "headers": HOST,
        "body": b"{}",
        "at": AT,
    }

    signatures = {a_signer().headers(**members)[-1][1] for members in (same, same | other)}  # type: ignore[arg-type] # the members are those of the method

    assert len(signatures) == 2


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(a_signer(TOKEN))

    assert SECRET not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ("", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
    ],
    ids=["get-vanilla", "get-vanilla-query-order-key-case"],
)
def test_what_is_only_asked_is_signed_with_its_query(query: str, signature: str) -> None:
    headers = dict(a_signer().headers("/", HOST, b"", AT, method="GET", query=query))

    assert headers["authorization"].endswith(f"Signature={signature}")
