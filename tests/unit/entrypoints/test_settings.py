from pathlib import Path

import pytest

from domain.operations.errors import SettingsError
from entrypoints.settings import Settings, shown_value
from entrypoints.settings_loading import LoadedSettings, SettingSource, load_settings

STRONG = "f3a9c1d07be24586" * 3


def load(
    environ: dict[str, str] | None = None,
    dotenv: Path | None = None,
    **overrides: object,
) -> LoadedSettings:
    return load_settings(environ or {}, dotenv, overrides)


def test_everything_has_a_default() -> None:
    loaded = load()

    assert loaded.settings.port == 8000
    assert loaded.settings.host == "127.0.0.1"
    assert loaded.settings.data_dir == Path("~/.local/share/stoa").expanduser()
    assert set(loaded.sources.values()) == {SettingSource.DEFAULT}


def test_an_option_wins_over_the_environment_over_dotenv_over_the_default(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("STOA_HOST=dotenv\nSTOA_PORT=1\nSTOA_WORKERS=2\n")

    loaded = load({"STOA_HOST": "environment", "STOA_PORT": "3"}, dotenv, host="option")

    settings = loaded.settings
    assert (settings.host, settings.port, settings.workers) == ("option", 3, 2)
    assert loaded.sources["host"] is SettingSource.OPTION
    assert loaded.sources["port"] is SettingSource.ENVIRONMENT
    assert loaded.sources["workers"] is SettingSource.DOTENV
    assert loaded.sources["docs"] is SettingSource.DEFAULT


def test_an_option_that_was_not_given_changes_nothing() -> None:
    assert load({"STOA_PORT": "3"}, port=None).settings.port == 3


def test_an_empty_variable_counts_as_not_set() -> None:
    loaded = load({"STOA_DATABASE_URL": "", "STOA_PORT": " "})

    assert loaded.settings.database_url is None
    assert loaded.sources["port"] is SettingSource.DEFAULT


def test_values_are_typed() -> None:
    settings = load(
        {
            "STOA_CORS_ORIGINS": "https://a.example/, http://localhost:3000",
            "STOA_LOG_LEVEL": "WARNING",
            "STOA_DATA_DIR": "~/x",
            "STOA_LOCAL_THREADS": "auto",
            "STOA_STREAM_HEARTBEAT_SECONDS": "2.5",
        }
    ).settings

    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert settings.log_level == "warning"
    assert settings.data_dir == Path.home() / "x"
    assert settings.local_threads is None
    assert settings.stream_heartbeat_seconds == 2.5


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("STOA_PORT", "http", "a whole number from 0 up to 65535"),
        ("STOA_PORT", "65536", "a whole number from 0 up to 65535"),
        ("STOA_WORKERS", "0", "a whole number from 1"),
        ("STOA_STREAM_HEARTBEAT_SECONDS", "nan", "a number above 0"),
        ("STOA_STREAM_HEARTBEAT_SECONDS", "inf", "a number above 0"),
        ("STOA_ENVIRONMENT", "prod", "one of `development`, `production`"),
        ("STOA_LOCAL_THREADS", "many", "or `auto`"),
        ("STOA_DATABASE_URL", "mysql://host/name", "postgresql://"),
        ("STOA_CORS_ORIGINS", "example.com", "https://app.example.com"),
        ("STOA_METRICS_TOKEN", "short", "at least 8 characters"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({variable: value})

    assert variable in caught.value.message
    assert expected in caught.value.message
    assert "\n" not in caught.value.message


def test_proxies_are_addresses_and_networks() -> None:
    settings = load({"STOA_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}).settings

    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    for wrong in ("proxy.example", "10.0.0.0/99", "300.1.1.1", "1:2:3"):
        with pytest.raises(SettingsError, match="STOA_TRUSTED_PROXIES"):
            load({"STOA_TRUSTED_PROXIES": wrong})


def test_a_path_in_a_home_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"STOA_DATA_DIR": "~no_such_user/x"}, dotenv_path=None)

    assert error.value.message == (
        "STOA_DATA_DIR (environment): there is no home directory for '~no_such_user/x'; give a"
        " whole path"
    )


def test_every_wrong_variable_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"STOA_PORT": "x", "STOA_WORKERS": "x", "STOA_WRONG": "x"})

    assert [e.field for e in caught.value.errors] == ["STOA_WRONG", "STOA_PORT", "STOA_WORKERS"]


def test_a_wrong_secret_or_database_url_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"STOA_METRICS_TOKEN": "canary", "STOA_DATABASE_URL": "canary"})

    assert "canary" not in caught.value.message


def test_a_mistyped_variable_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match=r"STOA_PROT .*did you mean STOA_PORT"):
        load({"STOA_PROT": "8000"})


def test_a_mistyped_line_of_dotenv_is_refused(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("STOA_DATADIR=/tmp\n")

    with pytest.raises(SettingsError, match="STOA_DATADIR"):
        load({}, dotenv)


def test_a_malformed_line_of_dotenv_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("STOA_PORT=1\n'oops\n")

    with pytest.raises(SettingsError, match="line 2"):
        load({}, dotenv)


def test_variables_of_tests_and_of_clients_are_let_through() -> None:
    load({"STOA_TEST_DATABASE_URL": "x", "STOA_API_KEY": "x", "OTHER": "x"})


def test_the_configuration_file_may_refer_to_the_environment_and_dotenv(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PROVIDER_KEY=from-dotenv\nOTHER=from-dotenv\n")

    loaded = load({"OTHER": "from-environment"}, dotenv)

    assert loaded.variables["PROVIDER_KEY"] == "from-dotenv"
    assert loaded.variables["OTHER"] == "from-environment"


@pytest.mark.parametrize(
    "key", [None, "short", "a" * 64, "change-me-" * 6, "default-secret-key-of-the-documentation"]
)
def test_production_refuses_a_missing_weak_or_default_secret(key: str | None) -> None:
    environ = {"STOA_ENVIRONMENT": "production"} | ({"STOA_SECRET_KEY": key} if key else {})

    with pytest.raises(SettingsError, match="openssl rand"):
        load(environ)


def test_production_hides_the_documentation_and_logs_json_unless_told_otherwise() -> None:
    production = {"STOA_ENVIRONMENT": "production", "STOA_SECRET_KEY": STRONG}

    quiet = load(production).settings
    open_ = load({**production, "STOA_DOCS": "on", "STOA_LOG_FORMAT": "console"}).settings

    assert (quiet.docs_enabled, quiet.logs_json) == (False, True)
    assert (open_.docs_enabled, open_.logs_json) == (True, False)


def test_development_shows_the_documentation_unless_switched_off() -> None:
    assert load().settings.docs_enabled
    assert not load({"STOA_DOCS": "off"}).settings.docs_enabled


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    settings = load(
        {
            "STOA_SECRET_KEY": "canary-secret",
            "STOA_METRICS_TOKEN": "canary-token",
            "STOA_DATABASE_URL": "postgresql://stoa:canary@db/stoa",
        }
    ).settings

    assert "canary" not in repr(settings)
    assert shown_value("database_url", settings) == "postgresql://stoa:[MASKED]@db/stoa"


def test_every_setting_is_described() -> None:
    for name in Settings.__struct_fields__:
        shown_value(name, Settings())
