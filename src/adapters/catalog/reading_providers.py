import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from adapters.catalog.definitions import (
    LocalProviderDefinition,
    OpenAICompatibleProviderDefinition,
    ProviderDefinition,
    ProviderType,
    ScriptedProviderDefinition,
    TimeoutsDefinition,
    TransportChoice,
)
from adapters.catalog.fields import Fields

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_REMOTE_KEYS = ("base_url", "api_key", "headers", "timeouts", "transport", "proxy", "ca_file")
_TIMEOUTS = ("connect", "first_byte", "between_bytes", "total")


def read_provider(fields: Fields, directory: Path) -> ProviderDefinition | None:
    """``None`` when its name or type is wrong, which is then noted like all else."""
    name = fields.text("name", required=True)
    kind = fields.choice("type", ProviderType, required=True)
    if name is not None and not _NAME.fullmatch(name):
        fields.note("name", "may have 1 to 100 letters, digits, '.', '_' and '-'")
    definition = _READERS[kind](fields, name or "", directory) if kind else None
    if kind is None:
        fields.allow(*_REMOTE_KEYS)
    fields.end(dict.fromkeys(_REMOTE_KEYS, f"does not apply to the type '{kind}'"))
    return definition if name is not None else None


def _read_local(_fields: Fields, name: str, _directory: Path) -> LocalProviderDefinition:
    return LocalProviderDefinition(name=name)


def _read_scripted(_fields: Fields, name: str, _directory: Path) -> ScriptedProviderDefinition:
    return ScriptedProviderDefinition(name=name)


def _read_remote(fields: Fields, name: str, directory: Path) -> OpenAICompatibleProviderDefinition:
    return OpenAICompatibleProviderDefinition(
        name=name,
        base_url=_read_url(fields, "base_url", required=True) or "",
        api_key=_read_api_key(fields),
        headers=_read_headers(fields),
        timeouts=_read_timeouts(fields),
        proxy=_read_url(fields, "proxy"),
        transport=_read_transport(fields),
        ca_file=_read_ca_file(fields, directory),
    )


def _read_url(fields: Fields, key: str, *, required: bool = False) -> str | None:
    url = fields.text(key, required=required)
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not url.isprintable() or " " in url or parts.query or parts.fragment:
        fields.note(key, "must be a URL such as https://api.example.com/v1")
        return None
    return url.rstrip("/")


def _read_api_key(fields: Fields) -> str | None:
    key = fields.text("api_key")
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        fields.note("api_key", "must be printable ASCII without spaces")
        return None
    return key


def _read_headers(fields: Fields) -> dict[str, str]:
    headers = fields.text_pairs("headers")
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            fields.note("headers", f"cannot hold '{name}': it is not the name of a header")
        elif not value.isprintable():
            fields.note("headers", f"cannot hold '{name}': its value has control characters")
    return headers


def _read_timeouts(fields: Fields) -> TimeoutsDefinition:
    nested = fields.fields("timeouts")
    if nested is None:
        return TimeoutsDefinition()
    given: dict[str, float] = {}
    for key in _TIMEOUTS:
        seconds = nested.decimal(key)
        if seconds == 0:
            nested.note(key, "must be above zero")
        elif seconds is not None:
            given[key] = float(seconds)
    nested.end()
    return TimeoutsDefinition(**given)


def _read_transport(fields: Fields) -> TransportChoice | None:
    transport = fields.choice("transport", TransportChoice)
    if transport is TransportChoice.POOL and fields.has("proxy"):
        fields.note("transport", "cannot be 'pool' with a proxy; leave it out or use 'aiohttp'")
    return transport


def _read_ca_file(fields: Fields, directory: Path) -> Path | None:
    text = fields.text("ca_file")
    if text is None:
        return None
    path = directory / Path(text).expanduser()
    if not path.is_file():
        fields.note("ca_file", f"names a file that does not exist: {path}")
    return path


_READERS: dict[ProviderType, Callable[[Fields, str, Path], ProviderDefinition]] = {
    ProviderType.LOCAL: _read_local,
    ProviderType.SCRIPTED: _read_scripted,
    ProviderType.OPENAI_COMPATIBLE: _read_remote,
}
