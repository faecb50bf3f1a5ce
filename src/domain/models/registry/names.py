"""What models, routes and providers may be called."""

import re

MAX_MODEL_NAME_LENGTH = 200
MAX_UPSTREAM_NAME_LENGTH = 500
MAX_ALIASES = 20
# What a call may ask for that is no model's name: then the gateway chooses.
RESERVED_NAMES = frozenset({"auto", "default"})

_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Problem = tuple[str, str]


def is_upstream_name(name: str) -> bool:
    """Whether it can be what a provider calls a model."""
    return 1 <= len(name) <= MAX_UPSTREAM_NAME_LENGTH and name.isprintable()


def is_model_name(name: str) -> bool:
    return 1 <= len(name) <= MAX_MODEL_NAME_LENGTH and name.isprintable() and " " not in name


def provider_name_problems(name: str) -> list[Problem]:
    if _PROVIDER.fullmatch(name):
        return []
    return [("name", "may have 1 to 100 letters, digits, '.', '_' and '-'")]


def model_name_problems(name: str, aliases: tuple[str, ...]) -> list[Problem]:
    """What is wrong with the name and the aliases of a model or a route."""
    problems: list[Problem] = []
    rule = f"must have 1 to {MAX_MODEL_NAME_LENGTH} characters and no spaces"
    if not is_model_name(name):
        problems.append(("name", rule))
    if len(aliases) > MAX_ALIASES:
        problems.append(("aliases", f"may be {MAX_ALIASES} at most"))
    if not all(map(is_model_name, aliases)):
        problems.append(("aliases", f"{rule} each"))
    elif len({name, *aliases}) <= len(aliases):
        problems.append(("aliases", "repeat a name"))
    problems += [
        ("aliases" if position else "name", f"cannot be '{one}', which calls use for a free choice")
        for position, one in enumerate((name, *aliases))
        if one in RESERVED_NAMES
    ]
    return problems
