"""The infrastructure settings: what a node must know before it can read its database.

Each is read from the variable ``STOA_<NAME>``. The declarations below are the single source of the
checks, of ``stoa settings show`` and of the reference in the documentation.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from application.shared.masking import MASK, mask_text

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class About:
    """What people need to know of a setting. ``nothing`` is the word that stands for ``None``,
    ``expected`` replaces the description of the values that the type gives."""

    description: str
    secret: bool = False
    nothing: str | None = None
    expected: str | None = None


Count = Annotated[int, Meta(ge=1, le=1024)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
DatabaseUrl = Annotated[str, Meta(pattern=r"^postgres(ql)?(\+asyncpg)?://\S+$")]
MailUrl = Annotated[str, Meta(pattern=r"^smtps?://\S+$")]
PublicUrl = Annotated[str, Meta(pattern=r"^https?://[^/\s?#@]+/?$")]
RedisUrl = Annotated[str, Meta(pattern=r"^(rediss?|unix)://\S+$")]
Network = Annotated[str, Meta(pattern=r"^[0-9a-fA-F.:]+(/\d{1,3})?$")]
Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[^/\s]+)$")]


class Settings(Struct, frozen=True, kw_only=True):
    """Infrastructure settings of one process, read once at its start."""

    environment: Annotated[
        Literal["development", "production"],
        About("`production` wants a secret key, logs JSON and hides the API documentation."),
    ] = "development"
    host: Annotated[
        str, About("Address that the server listens on.", expected="an address or a host name")
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(ge=0, le=65_535),
        About("TCP port that the server listens on; 0 takes any free one."),
    ] = 8000
    workers: Annotated[Count, About("Server processes on this machine.")] = 1
    data_dir: Annotated[
        Path, About("Directory of the embedded database and of everything else that is kept.")
    ] = Path("~/.local/share/stoa")
    database_url: Annotated[
        DatabaseUrl | None,
        About(
            "An external Postgres; without it the embedded one is used.",
            expected="a URL such as `postgresql://user@host:5432/name`",
        ),
    ] = None
    database_pool_size: Annotated[
        Count, About("Connections that each process keeps to the database.")
    ] = 10
    database_wait_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)],
        About("How long a start waits for the database before it gives up."),
    ] = 10.0
    redis_url: Annotated[
        RedisUrl | None,
        About(
            "A Redis or Valkey that counts what limits bound; without it the database does.",
            expected="a URL such as `redis://host:6379/0`",
        ),
    ] = None
    config: Annotated[
        Path | None,
        About("YAML file of providers and models; without it the embedded models are served."),
    ] = None
    secret_key: Annotated[
        str | None,
        About(
            "Root of the keys that encrypt stored secrets. For the embedded database one is made at"
            " the first start and kept in the data directory; production wants one that is set, of"
            " 32 characters or more.",
            secret=True,
        ),
    ] = None
    secret_key_previous: Annotated[
        str | None,
        About(
            "The secret key from before a rotation: what it encrypted can be read until `stoa"
            " settings reencrypt` has encrypted it with the present one.",
            secret=True,
        ),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], About("The least severe messages logged.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        About("`auto` is `json` in production and `console` otherwise."),
    ] = "auto"
    log_file: Annotated[
        Path | None,
        About("Also log to this file, kept to three old files of 10 MB and the current one."),
    ] = None
    cors_origins: Annotated[
        tuple[Origin, ...],
        About(
            "Web origins whose pages may call the API.",
            expected="a comma-separated list of origins such as `https://app.example.com`, or `*`",
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[Network, ...],
        About(
            "Proxies whose `X-Forwarded-For` is believed; of all other peers the own address"
            " counts.",
            expected="a comma-separated list of addresses and networks such as `10.0.0.0/8`",
        ),
    ] = ()
    max_body_bytes: Annotated[
        int, Meta(ge=1024, le=1024 * MEBIBYTE), About("The longest request body taken, in bytes.")
    ] = 32 * MEBIBYTE
    docs: Annotated[
        Literal["auto", "on", "off"],
        About("Serve the API documentation; `auto` is `off` in production and `on` otherwise."),
    ] = "auto"
    stream_heartbeat_seconds: Annotated[
        Seconds, About("Send a comment after this much silence in a stream.")
    ] = 15.0
    shutdown_grace_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=86_400)],
        About("How long running requests may finish after the server was told to stop."),
    ] = 30.0
    ledger_timeout_seconds: Annotated[
        Seconds,
        About(
            "Refuse a call whose key cannot be looked up, whose limits cannot be counted, or whose"
            " ledger row cannot be written, in this time."
        ),
    ] = 5.0
    budget_hold_seconds: Annotated[
        Seconds,
        About("How long a killed process still holds what its calls may cost of their budgets."),
    ] = 60.0
    local_threads: Annotated[
        Count | None,
        About("CPU threads of a local model; `auto` is one fewer than there are.", nothing="auto"),
    ] = None
    local_queue_size: Annotated[
        Count, About("Requests that may wait for a local model before others are refused.")
    ] = 64
    metrics_token: Annotated[
        Annotated[str, Meta(min_length=8)] | None,
        About("Bearer token that `/metrics` asks for; without it `/metrics` is open.", secret=True),
    ] = None
    public_url: Annotated[
        PublicUrl | None,
        About(
            "Where people reach the server; links in mails begin with it. Without it, the address"
            " that the server listens on.",
            expected="a URL such as `https://stoa.example.com`, without a path",
        ),
    ] = None
    mail_url: Annotated[
        MailUrl | None,
        About(
            "The server that mail is sent through. `smtps` is TLS from the first byte, `smtp` is"
            " upgraded to TLS where the server offers it, and always before a login. Without it"
            " no mail is sent; in development it is shown on the console.",
            expected="a URL such as `smtp://user:password@mail.example.com:587`",
        ),
    ] = None
    mail_from: Annotated[
        str | None,
        About(
            "The sender of all mail.",
            expected="an address such as `Stoa <stoa@example.com>`",
        ),
    ] = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={shown_value(name, self)!r}" for name in self.__struct_fields__)
        return f"Settings({shown})"

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def docs_enabled(self) -> bool:
        return self.docs == "on" or (self.docs == "auto" and not self.is_production)

    @property
    def logs_json(self) -> bool:
        return self.log_format == "json" or (self.log_format == "auto" and self.is_production)


# Read by the commands that talk to a server, never by the server itself.
CLIENT_VARIABLES = {
    "STOA_API_KEY": "API key that `stoa chat --url` and `stoa selftest` send.",
}
TEST_PREFIX = "STOA_TEST_"


def variable_of(name: str) -> str:
    return f"STOA_{name.upper()}"


def about(name: str) -> About:
    """The declaration of the setting of that name."""
    return _ABOUT[name]


def shown_value(name: str, settings: Settings) -> object:
    """The value as it may be shown: secrets and passwords in URLs are masked."""
    value = getattr(settings, name)
    if value is None or value == ():
        return None
    if about(name).secret:
        return MASK
    if isinstance(value, Path):
        return str(value)
    return mask_text(value) if isinstance(value, str) else value


_ABOUT = {
    field.name: next(part for part in field.type.__metadata__ if isinstance(part, About))
    for field in structs.fields(Settings)
}
