from typing import Any

import jwt

from adapters.oidc.believed_tokens import BelievedToken, BelievedTokens, Terms
from application.identity.external.ports import ExternalIdentity
from tests.fakes.identity_provider import jwk_of, rsa_key

TERMS = Terms(issuer="https://id.example.com", audience=("stoa",))
KEY = jwt.PyJWK(jwk_of("one", rsa_key()), "RS256")


def a_believed_token(**fields: Any) -> BelievedToken:
    usual: dict[str, Any] = {
        "terms": TERMS,
        "key_name": ("one", "RS256"),
        "key": KEY,
        "identity": ExternalIdentity(issuer="https://id.example.com", subject="s-1"),
        "begins": 0.0,
        "ends": 1.0,
    }
    return BelievedToken(**(usual | fields))


def test_a_token_is_found_on_the_terms_on_which_it_was_read() -> None:
    tokens, believed = BelievedTokens(), a_believed_token()

    tokens.remember("a", believed)

    assert tokens.find("a", TERMS) is believed
    assert tokens.find("b", TERMS) is None
    assert tokens.find("a", Terms(issuer=TERMS.issuer, audience=("else",))) is None


def test_those_that_were_not_used_for_the_longest_are_forgotten() -> None:
    tokens = BelievedTokens(capacity=2)

    for token in ("a", "b"):
        tokens.remember(token, a_believed_token())
    tokens.find("a", TERMS)
    tokens.remember("c", a_believed_token())

    assert [tokens.find(token, TERMS) is not None for token in "abc"] == [True, False, True]
