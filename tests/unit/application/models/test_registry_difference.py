from application.models.applying.registry_difference import changed


def test_what_differs_is_told_by_the_members_of_members() -> None:
    before: dict[str, object] = {
        "timeouts": {"first_token": 1.5, "total": None},
        "cache": None,
        "denied": [],
    }
    after: dict[str, object] = {
        "timeouts": {"first_token": 2.0, "total": None},
        "cache": {"ttl_s": 5},
    }

    told = changed("route", "any", before, after)

    assert [(one.field, one.before, one.after) for one in told.fields] == [
        ("cache.ttl_s", None, 5),
        ("timeouts.first_token", 1.5, 2.0),
    ]


def test_secrets_are_told_to_have_changed_and_nothing_of_them() -> None:
    before = {"credentials": {"api_key": "one"}, "headers": {"x-token": "two"}}
    after = {"credentials": {"api_key": "canary"}, "headers": {"x-token": "canary"}}

    told = changed("provider", "acme", before, after)

    assert [one.field for one in told.fields] == ["credentials", "headers.x-token"]
    assert "canary" not in str(told)
