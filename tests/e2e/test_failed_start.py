"""What a start says that cannot succeed: one line, at once, and nothing is left behind."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.server import StoaServer

FILES = {
    "broken": "providers: [{name: a, type: scripted]\n",
    "unresolved": (
        "providers:\n"
        "  - {name: a, type: openai-compatible, base_url: 'http://x/v1', api_key: '${NOT_SET}'}\n"
        "models: [{name: m, provider: a}]\n"
    ),
    "unknown": "providers: [{name: a, type: scripted}]\nmodels: [{name: m, provider: a, wat: 1}]\n",
    "no-gguf": (
        "providers: [{name: a, type: local}]\n"
        "models: [{name: m, provider: a, upstream_name: /nowhere/x.gguf}]\n"
    ),
}
# Nothing of what is wrong here gets better by waiting, so nobody waits.
PATIENCE = {"STOA_DATABASE_WAIT_SECONDS": "60"}


@pytest.fixture(scope="module")
def obstacles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A port that is taken, and a file where a directory is wanted."""
    file = tmp_path_factory.mktemp("blocked") / "file"
    file.write_text("")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield {"taken": str(listener.getsockname()[1]), "file": str(file)}


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"STOA_PORT": "{taken}"}, 5, "Port {taken} on 127.0.0.1 is in use."),
        ({"STOA_HOST": "203.0.113.7"}, 5, "203.0.113.7 is not an address of this machine"),
        ({"STOA_DATA_DIR": "{file}"}, 2, "The data directory {file} cannot be used"),
        ({"STOA_DATA_DIR": "{file}/below"}, 2, "The data directory {file}/below cannot be used"),
        ({"STOA_PORT": "http"}, 2, "STOA_PORT (environment): expected a whole number"),
        ({"STOA_PROT": "1"}, 2, "did you mean STOA_PORT?"),
        ({"STOA_ENVIRONMENT": "production"}, 2, "STOA_SECRET_KEY: production needs"),
        ({"STOA_DATABASE_URL": "mysql://u:canary@h/x"}, 2, "STOA_DATABASE_URL (environment)"),
        ({"STOA_DATABASE_URL": "canary"}, 2, "STOA_DATABASE_URL (environment)"),
        ({"STOA_DATABASE_URL": "postgresql://u:canary@h:99999/x"}, 2, "STOA_DATABASE_URL has"),
        (
            {
                "STOA_DATABASE_URL": "postgresql://u:canary@127.0.0.1:9/x",
                "STOA_DATABASE_WAIT_SECONDS": "0",
            },
            69,
            "The database at 127.0.0.1:9 cannot be reached: connection refused",
        ),
        ({"STOA_CONFIG": "broken"}, 2, "line 1: not valid YAML"),
        ({"STOA_CONFIG": "unresolved"}, 2, "line 2: provider 'a': 'api_key'"),
        ({"STOA_CONFIG": "unknown"}, 2, "line 2: model 'm': 'wat' is not known"),
        ({"STOA_CONFIG": "no-gguf"}, 2, "/nowhere/x.gguf"),
        ({"STOA_CONFIG": "/nowhere/stoa.yaml"}, 2, "/nowhere/stoa.yaml cannot be read"),
        ({"STOA_LOG_FILE": "{file}/x.log"}, 2, "STOA_LOG_FILE: {file}/x.log cannot be written"),
    ],
    ids=[
        *("port-in-use", "not-our-address", "file-for-directory", "below-a-file", "bad-setting"),
        *("unknown-setting", "no-secret", "wrong-scheme", "no-url", "bad-port", "refused"),
        *("broken-yaml", "unresolved", "unknown-key", "no-gguf", "no-file", "log-file"),
    ],
)
def test_a_start_that_cannot_succeed_ends_with_one_line(
    tmp_path: Path, obstacles: dict[str, str], variables: dict[str, str], code: int, said: str
) -> None:
    given = {name: value.format(**obstacles) for name, value in variables.items()}
    if (name := given.get("STOA_CONFIG")) in FILES:
        given["STOA_CONFIG"] = str(tmp_path / f"{name}.yaml")
        (tmp_path / f"{name}.yaml").write_text(FILES[str(name)])
    server = StoaServer(data_dir=tmp_path, settings=PATIENCE | given)
    started = time.monotonic()

    done = server.run("serve")

    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("stoa: ")
    assert done.stderr.count("\n") == 1
    assert said.format(**obstacles) in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert done.stdout == ""
    assert time.monotonic() - started < 40
    assert not (tmp_path / "postgres").exists()


def test_a_second_server_on_the_data_directory_is_refused(server: StoaServer) -> None:
    second = StoaServer(data_dir=server.data_dir, config=server.config)

    done = second.run("serve")
    # It is refused before it would make any.
    with_workers = second.run("serve", STOA_WORKERS="2")

    assert done.returncode == with_workers.returncode == 5
    assert done.stderr == with_workers.stderr
    assert str(server.data_dir) in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_explains_where_it_listens_and_what_it_keeps(server: StoaServer) -> None:
    shown = server.run("serve", "--help").stdout

    for option in ("--host", "--port", "--workers", "--data-dir", "--database-url", "--config"):
        assert option in shown
    assert "~/.local/share/stoa" in shown
