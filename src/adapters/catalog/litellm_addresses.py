"""Where deployments of a LiteLLM proxy are."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

_OF_DEPLOYMENT = re.compile(r"(?P<base>.*)/openai/deployments/(?P<name>[^/]+)(/.*)?")
_ANY_OF_THIS_MACHINE = re.compile(r"^(https?://)0\.0\.0\.0(?=[:/]|$)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def reachable(address: str) -> str:
    """What stands for all addresses of a machine reaches the machine itself there."""
    return _ANY_OF_THIS_MACHINE.sub(r"\g<1>127.0.0.1", address.strip().rstrip("/"))


def is_header(name: str) -> bool:
    return _HEADER.fullmatch(name) is not None


def azure_address(members: dict[str, Any]) -> str | None:
    """The deployment that the address names, which is made that of the resource then."""
    url = urlsplit(str(members.get("base_url", "")))
    match = _OF_DEPLOYMENT.fullmatch(url.path)
    if not url.scheme or match is None:
        return None
    members["base_url"] = f"{url.scheme}://{url.netloc}{match['base']}"
    version = parse_qs(url.query).get("api-version")
    if version:
        members.setdefault("api_version", version[0])
    return match["name"]


def address_problem(address: str | None) -> str | None:
    """Why nothing can be reached there, without repeating what may be secret."""
    if address is None or address.startswith("${"):
        return None
    try:
        url = urlsplit(address)
        is_whole = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not address.isascii() or not address.isprintable() or " " in address:
        return "its api_base is no URL"
    if url.username is not None or url.password is not None:
        return "its api_base has a password in it: say it in 'headers'"
    return "its api_base has parameters, which a base URL cannot have" if url.query else None
