"""Why what a LiteLLM proxy is told has no place in Stoa's configuration."""

UNKNOWN = "there is nothing like it"
STRATEGY = "is none of Stoa's strategies; the routes are weighted"
_KEYS = "keys are not in the configuration: `stoa keys create`"
_LEDGER = "the ledger and /metrics have every call"
_SHARED = "state is shared by the database, or by STOA_REDIS_URL"
_BREAKER = "breakers leave failing deployments alone: `breaker_*` of the runtime settings"
_BUDGETS = "budgets are of teams, users and keys: `stoa team set --budget`"
_DEFAULTS = "teams have a role, limits and budgets: `stoa team set`"
_SIGN_ON = "people sign in by OpenID Connect: see the page on single sign-on"
_LOGS = "the log is a setting: STOA_LOG_LEVEL"
_RETRIES = "'retry' of a route counts all failures alike"
_HEALTH = "deployments that failed are asked again: `health_check_seconds`"
_TAGS = "routes do not look at tags"
_SECRETS = "secrets come from variables, or are kept encrypted in the registry"

_ROUTER = {
    **dict.fromkeys(("redis_host", "redis_password", "redis_port", "redis_url"), _SHARED),
    **dict.fromkeys(("allowed_fails", "cooldown_time", "disable_cooldowns"), _BREAKER),
    **dict.fromkeys(("allowed_fails_policy",), _BREAKER),
    **dict.fromkeys(("retry_policy", "model_group_retry_policy"), _RETRIES),
    **dict.fromkeys(("enable_tag_filtering", "tag_filtering_match_any"), _TAGS),
    "content_policy_fallbacks": "a refusal is an answer: nobody else is asked then",
    "enable_pre_call_checks": "calls always go to models only that can take them",
    "max_fallbacks": "all fallbacks have their turn, within 'retry.attempts'",
    "provider_budget_config": _BUDGETS,
    "routing_strategy_args": "strategies have no arguments",
    "set_verbose": _LOGS,
    "debug_level": _LOGS,
}
_SETTINGS = {
    "allowed_fails": _BREAKER,
    "callbacks": _LEDGER,
    "success_callback": _LEDGER,
    "failure_callback": "the ledger and the record of errors have every failure",
    "content_policy_fallbacks": _ROUTER["content_policy_fallbacks"],
    "drop_params": "what a provider cannot do is refused, never dropped",
    "modify_params": "requests are translated as they are, or refused",
    **dict.fromkeys(("set_verbose", "json_logs", "turn_off_message_logging"), _LOGS),
    **dict.fromkeys(("max_budget", "budget_duration", "max_end_user_budget"), _BUDGETS),
    **dict.fromkeys(("max_internal_user_budget", "internal_user_budget_duration"), _BUDGETS),
    **dict.fromkeys(("default_team_settings", "default_internal_user_params"), _DEFAULTS),
    **dict.fromkeys(("upperbound_key_generate_params", "default_key_generate_params"), _DEFAULTS),
    "default_team_params": _DEFAULTS,
    "master_key": _KEYS,
}
_GENERAL = {
    "master_key": _KEYS,
    "custom_auth": _SIGN_ON,
    **dict.fromkeys(("enable_jwt_auth", "litellm_jwtauth", "enable_oauth2_auth"), _SIGN_ON),
    "database_url": "the database is a setting: STOA_DATABASE_URL",
    "store_model_in_db": "models can always be set up at run time: `stoa models add`",
    "alerting": "people are told by notifications and events",
    "alert_to_webhook_url": "people are told by notifications and events",
    "alerting_threshold": "people are told by notifications and events",
    **dict.fromkeys(("background_health_checks", "health_check_interval"), _HEALTH),
    **dict.fromkeys(("key_management_system", "key_management_settings"), _SECRETS),
    "max_parallel_requests": "limits are of teams, users, keys and models",
    "global_max_parallel_requests": "limits are of teams, users, keys and models",
}
_TOP = {
    "environment_variables": "set them where the server is started, or in .env",
    "guardrails": "routes of Stoa's have 'guardrails' of their own",
}


def of_router(key: str) -> str:
    return _ROUTER.get(key, UNKNOWN)


def of_section(section: str, key: str) -> str:
    return (_SETTINGS if section == "litellm_settings" else _GENERAL).get(key, UNKNOWN)


def of_top(key: str) -> str:
    return _TOP.get(key, UNKNOWN)
