"""The registry of runtime settings. What is added to ``RUNTIME_SETTINGS`` can be set over the API,
at the terminal and in the environment, and stands in the reference; the constant is the handle that
code reads the value with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from domain.identity.joining.registration import RegistrationPolicy, RegistrationRole
from domain.operations.guardrail_settings import GUARDRAILS, SERVER_GUARDRAILS
from domain.operations.idempotency_settings import IDEMPOTENCY_HOURS, IDEMPOTENCY_MEGABYTES
from domain.operations.keeping_settings import ANSWER_CACHE_SECONDS, ANSWER_CACHE_WAIT_SECONDS
from domain.operations.model_settings import ALLOW_PRIVATE_PROVIDERS, DEFAULT_OF_KIND
from domain.operations.response_settings import RETENTION_RESPONSES_DAYS, STORE_RESPONSES
from domain.operations.routing_settings import ROUTING_SETTINGS
from domain.operations.runtime_setting import (
    RuntimeSetting,
    SettingGroup,
    SettingRegistry,
    SettingScope,
)
from domain.operations.setting_values import BoolType, ChoiceType, IntType, TextListType, TextType

LONGEST_RETENTION_DAYS = 36_500
# Keys that came over a wire that others can write to would prove nothing.
_PROVIDER_URL = TextType(
    what="an https URL, or an http URL of this machine,",
    pattern=r"https://[^\s/?#]+[^\s#]*|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s#]*)?",
    max_length=2000,
)

ENABLE_TOOLS = RuntimeSetting(
    name="enable_tools",
    group=SettingGroup.CAPABILITIES,
    scope=SettingScope.TEAM,
    type=BoolType(),
    default=True,
    description="Take model calls that offer tools or functions to the model.",
)
ENABLE_RETRIEVAL = RuntimeSetting(
    name="enable_retrieval",
    group=SettingGroup.CAPABILITIES,
    scope=SettingScope.TEAM,
    type=BoolType(),
    default=True,
    description="Take model calls that ask for retrieval: a search of the web or of files.",
)
CONTENT_CAPTURE = RuntimeSetting(
    name="content_capture",
    group=SettingGroup.CAPABILITIES,
    scope=SettingScope.TEAM,
    type=BoolType(),
    default=False,
    description="Keep prompts and answers with the calls in the ledger.",
)
CACHE_DISABLE_ALL = RuntimeSetting(
    name="cache_disable_all",
    group=SettingGroup.CACHE,
    scope=SettingScope.SERVER,
    type=BoolType(),
    default=False,
    description=(
        "Remember neither credentials nor answers: ask the database at every request, and a model"
        " at every call."
    ),
)

REGISTRATION_POLICY = RuntimeSetting(
    name="registration_policy",
    group=SettingGroup.JOINING,
    scope=SettingScope.SERVER,
    type=ChoiceType(choices=RegistrationPolicy),
    default=RegistrationPolicy.CLOSED,
    description=(
        "Who may join the first team: only who is invited, or everybody who can read mail at an"
        " address."
    ),
)
REGISTRATION_ROLE = RuntimeSetting(
    name="registration_role",
    group=SettingGroup.JOINING,
    scope=SettingScope.SERVER,
    type=ChoiceType(choices=RegistrationRole),
    default=RegistrationRole.MEMBER,
    description="What those become in the first team who were invited by nobody.",
)
API_REQUESTS_PER_MINUTE = RuntimeSetting(
    name="api_requests_per_minute",
    group=SettingGroup.LIMITS,
    scope=SettingScope.SERVER,
    type=IntType(minimum=0, maximum=1_000_000),
    default=600,
    description=(
        "How many requests a key or a person may make to Stoa's own API in a minute; 0 is no limit."
        " Model calls do not count."
    ),
)

OIDC_ISSUER: RuntimeSetting[str | None] = RuntimeSetting(
    name="oidc_issuer",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=_PROVIDER_URL,
    default=None,
    description=(
        "The identity provider whose tokens are taken, exactly as their `iss` says it; none are,"
        " if not set."
    ),
)
OIDC_AUDIENCE: RuntimeSetting[tuple[str, ...]] = RuntimeSetting(
    name="oidc_audience",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=TextListType(item=TextType(what="an audience", max_length=255), max_items=20),
    default=(),
    description=(
        "Whom tokens of the identity provider have to be for: one of these has to stand in their"
        " `aud`. No tokens are taken, if not set."
    ),
)
OIDC_JWKS_URL: RuntimeSetting[str | None] = RuntimeSetting(
    name="oidc_jwks_url",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=_PROVIDER_URL,
    default=None,
    description=(
        "Where the keys of the identity provider are; its discovery document tells, if not set."
    ),
)
OIDC_CLOCK_SKEW_SECONDS = RuntimeSetting(
    name="oidc_clock_skew_seconds",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=IntType(minimum=0, maximum=600),
    default=60,
    description="By how much the clock of the identity provider may differ.",
)
OIDC_CREATE_USERS = RuntimeSetting(
    name="oidc_create_users",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=BoolType(),
    default=False,
    description=(
        "Make an account in the first team for everybody whom the identity provider vouches for."
    ),
)
OIDC_ROLE = RuntimeSetting(
    name="oidc_role",
    group=SettingGroup.SIGN_IN,
    scope=SettingScope.SERVER,
    type=ChoiceType(choices=RegistrationRole),
    default=RegistrationRole.MEMBER,
    description="What those become in the first team whom the identity provider vouches for.",
)


def _retention(kind: str, what: str, *, default: int) -> RuntimeSetting[int]:
    return RuntimeSetting(
        name=f"retention_{kind}_days",
        group=SettingGroup.RETENTION,
        scope=SettingScope.SERVER,
        type=IntType(minimum=0, maximum=LONGEST_RETENTION_DAYS),
        default=default,
        description=f"For how many days {what} kept at least; 0 is for ever.",
    )


RETENTION_CALLS_DAYS = _retention("calls", "the rows of the ledger are", default=0)
RETENTION_CONTENTS_DAYS = _retention(
    "contents", "captured prompts and answers are (and no longer than their calls)", default=0
)
RETENTION_AUDIT_DAYS = _retention("audit", "the audit log is", default=0)
RETENTION_ERRORS_DAYS = _retention("errors", "occurrences of technical errors are", default=90)
RETENTION_EVENTS_DAYS = _retention("events", "events are", default=30)
RETENTION_NOTIFICATIONS_DAYS = _retention("notifications", "notifications are", default=90)

ERROR_SPIKE_THRESHOLD = RuntimeSetting(
    name="error_spike_threshold",
    group=SettingGroup.NOTIFICATIONS,
    scope=SettingScope.SERVER,
    type=IntType(minimum=0, maximum=1_000_000),
    default=20,
    description=(
        "Tell operators of a technical error that happens so often within five minutes; 0 is never."
    ),
)

_ALL: tuple[RuntimeSetting[Any], ...] = (
    ENABLE_TOOLS,
    ENABLE_RETRIEVAL,
    CONTENT_CAPTURE,
    STORE_RESPONSES,
    *DEFAULT_OF_KIND.values(),
    ALLOW_PRIVATE_PROVIDERS,
    *ROUTING_SETTINGS,
    CACHE_DISABLE_ALL,
    ANSWER_CACHE_SECONDS,
    ANSWER_CACHE_WAIT_SECONDS,
    GUARDRAILS,
    SERVER_GUARDRAILS,
    API_REQUESTS_PER_MINUTE,
    REGISTRATION_POLICY,
    REGISTRATION_ROLE,
    RETENTION_CALLS_DAYS,
    RETENTION_CONTENTS_DAYS,
    RETENTION_AUDIT_DAYS,
    RETENTION_ERRORS_DAYS,
    RETENTION_EVENTS_DAYS,
    RETENTION_NOTIFICATIONS_DAYS,
    RETENTION_RESPONSES_DAYS,
    IDEMPOTENCY_HOURS,
    IDEMPOTENCY_MEGABYTES,
    ERROR_SPIKE_THRESHOLD,
    OIDC_ISSUER,
    OIDC_AUDIENCE,
    OIDC_JWKS_URL,
    OIDC_CLOCK_SKEW_SECONDS,
    OIDC_CREATE_USERS,
    OIDC_ROLE,
)

RUNTIME_SETTINGS: Mapping[str, RuntimeSetting[Any]] = MappingProxyType(
    {setting.name: setting for setting in _ALL}
)


REGISTRY = SettingRegistry(RUNTIME_SETTINGS)
