"""The command line as a process, beside a server that runs."""

import fcntl
import json
import os
import pty
import resource
import signal
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.fixtures.patience import PATIENCE_S
from tests.fixtures.prepared_cluster import put_prepared_cluster
from tests.fixtures.server import StoaServer, stoa
from tests.fixtures.zygote import fork

LONG = "word " * 100


def run_in(
    server: StoaServer, *arguments: str, piped: str = ""
) -> "subprocess.CompletedProcess[str]":
    """A process that has to import everything itself, unlike those of ``server.run``."""
    return subprocess.run(  # noqa: S603 - our own command line
        stoa(*arguments),
        env=server.environment,
        input=piped,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=server.data_dir,
    )


def test_help_is_fast_and_lists_the_commands(server: StoaServer) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = run_in(server, "--help")

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert "selftest" in done.stdout
    # Of the processor, of which others may have the most.
    assert after.ru_utime - before.ru_utime < 3


def test_a_key_is_made_listed_and_revoked(server: StoaServer) -> None:
    made = server.run("keys", "create", "cli", "--model", "echo*", "--expires", "30d", "--json")
    key = json.loads(made.stdout)
    listed = json.loads(server.run("keys", "list", "--json").stdout)["items"]
    again = server.run("keys", "create", "cli")
    revoked = server.run("keys", "revoke", "cli")

    assert key["key"].startswith("sk-stoa-")
    assert key["allowed_models"] == ["echo*"]
    assert [item["name"] for item in listed if item["id"] == key["id"]] == ["cli"]
    assert key["key"] not in json.dumps(listed)
    assert (again.returncode, revoked.returncode) == (5, 0)
    assert again.stderr == "stoa: There is already an API key named 'cli'.\n"


def test_models_are_listed(server: StoaServer) -> None:
    done = server.run("models", "list", "--json")

    models = {model["name"]: model for model in json.loads(done.stdout)["items"]}
    assert models["echo"]["aliases"] == ["parrot"]
    assert models["echo"]["prices"]["input"] == "1.5"


def test_an_answer_is_printed_whole_and_logged_cut(server: StoaServer, tmp_path: Path) -> None:
    log = tmp_path / "deep" / "log.jsonl"

    done = server.run("chat", "echo", LONG, "--logfile", str(log))

    (line,) = map(json.loads, log.read_text().splitlines())
    assert done.stdout.strip() == LONG.strip()
    assert line["success"] is True
    assert line["truncated"] is True
    assert len(line["response"]["choices"][0]["message"]["content"]) < 250
    assert line["response"]["usage"]["completion_tokens"] > 0


def test_a_chat_is_in_the_ledger(server: StoaServer) -> None:
    server.run("chat", "unpriced", "user", "hi", "assistant", "yes", "user", "well")

    calls = json.loads(server.run("calls", "list", "--model", "unpriced", "--json").stdout)
    usage = server.run("usage", "--by", "model").stdout

    assert calls["items"][0]["status"] == "succeeded"
    assert {"unpriced", "total"} <= {line.split()[0] for line in usage.splitlines() if line.strip()}


@pytest.mark.parametrize(
    "command", ["usage --by model", "calls list", "keys list", "models list"], ids=str
)
def test_tables_fit_into_a_terminal_of_80_columns(
    server: StoaServer, command: str, tmp_path: Path
) -> None:
    controller, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    with os.fdopen(follower, "w") as terminal:
        done = fork(
            command.split(),
            environment={**server.environment, "TERM": "dumb"},
            cwd=server.data_dir,
            streams=(Path(os.devnull), Path(os.ttyname(terminal.fileno())), tmp_path / "errors"),
            code=tmp_path / "code",
        ).wait(PATIENCE_S)

    with os.fdopen(controller, "rb", buffering=0) as screen:
        lines = screen.read(65536).decode().splitlines()
    assert done == 0
    assert len(lines) > 2
    assert max(map(len, lines)) <= 80


def test_a_call_is_shown_member_by_member_or_as_json(server: StoaServer) -> None:
    server.run("chat", "unpriced", "hello")
    listed = server.run("calls", "list", "--model", "unpriced", "--limit", "1", "--json")
    call = json.loads(listed.stdout)["items"][0]

    shown = server.run("calls", "show", call["id"]).stdout
    as_json = server.run("calls", "show", call["id"], "--json").stdout

    members = dict(line.split("  ", 1) for line in shown.splitlines())
    assert (members["id"].strip(), members["status"].strip()) == (call["id"], "succeeded")
    assert json.loads(as_json) == call | {"content": None}


def test_json_is_the_whole_answer_and_a_message_can_be_piped_in(server: StoaServer) -> None:
    done = server.run("chat", "echo", "--json", piped="from a pipe\n")

    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "from a pipe"


def test_a_failed_chat_is_one_line_an_exit_code_and_a_line_in_the_log(
    server: StoaServer, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"

    missing = server.run("chat", "nope", "hi", "--logfile", str(log))
    broken = server.run("chat", "cut", "hi", "--logfile", str(log))

    codes = [json.loads(line)["error"]["code"] for line in log.read_text().splitlines()]
    assert (missing.returncode, broken.returncode) == (3, 69)
    assert missing.stderr.startswith("stoa: The model 'nope' does not exist")
    assert codes == ["MODEL_NOT_FOUND", "PROVIDER_ERROR"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("echo", "user", "a", "user"), "The role 'user' has no content"),
        (("echo", "hi", "--temperature", "3"), "Invalid value for '--temperature'"),
        (("echo", "hi", "--api-key", "k"), "--api-key is sent to the server that --url names"),
        ((), "Missing argument 'MODEL'"),
    ],
    ids=["odd", "range", "key", "nothing"],
)
def test_a_wrong_use_is_one_line_too(
    server: StoaServer, arguments: tuple[str, ...], says: str
) -> None:
    done = server.run("chat", *arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"stoa: {says}")
    assert done.stderr.endswith("See 'stoa chat --help'.\n")
    assert done.stderr.count("\n") == 1


def test_ctrl_c_cancels_the_answer_and_exits_with_130(server: StoaServer) -> None:
    with subprocess.Popen(  # noqa: S603 - our own command line
        stoa("chat", "stuck", "hi"),
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=server.data_dir,
    ) as process:
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 10)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=3 * PATIENCE_S)

    last = json.loads(
        server.run("calls", "list", "--model", "stuck", "--limit", "1", "--json").stdout
    )
    assert process.returncode == 130
    assert b"Traceback" not in errors
    assert last["items"][0]["status"] == "cancelled"


def test_chat_talks_to_a_server_by_url(server: StoaServer) -> None:
    bare = server.url.removeprefix("http://")
    done = server.run("chat", "echo", "hello", "--url", bare, STOA_API_KEY=server.key)
    refused = server.run("chat", "echo", "hello", "--url", server.url, "--api-key", "wrong")

    assert done.stdout == "hello\n"
    assert refused.returncode == 4
    assert refused.stderr == "stoa: Incorrect API key provided.\n"


def test_the_team_can_switch_capture_on_and_off(server: StoaServer) -> None:
    on = server.run("team", "set", "--capture", "--json")
    off = server.run("team", "set", "--no-capture", "--json")

    assert json.loads(on.stdout)["capture_content"] is True
    assert json.loads(off.stdout)["capture_content"] is False


def test_the_database_is_at_its_newest_revision_without_drift(server: StoaServer) -> None:
    current = json.loads(server.run("db", "current", "--json").stdout)
    check = server.run("db", "check")

    assert current["revision"] == current["head"]
    assert check.returncode == 0


def test_the_database_goes_back_by_a_step(tmp_path: Path) -> None:
    put_prepared_cluster(tmp_path)
    alone = StoaServer(data_dir=tmp_path)
    alone.run("db", "upgrade")
    newest, before, *_ = json.loads(alone.run("db", "history", "--json").stdout)["items"]

    back = alone.run("db", "downgrade", "-1")
    # Some steps change nothing but functions, which are not compared.
    alone.run("db", "downgrade", "2026_11_21_1540_answers")
    check = alone.run("db", "check")

    assert newest["id"] != before["id"]
    assert back.stdout == f"The database is at {before['id']}.\n"
    assert check.returncode == 1
    assert "add " in check.stdout


def test_the_database_does_not_go_back_under_a_running_server(server: StoaServer) -> None:
    refused = server.run("db", "downgrade", "-1")

    assert refused.returncode != 0
    assert refused.stderr.startswith("stoa: A server is running on this database.")
    assert json.loads(server.run("db", "current", "--json").stdout)["revision"] is not None


def test_the_doctor_finds_the_running_server_and_nothing_wrong(server: StoaServer) -> None:
    done = server.run("doctor", "--json")

    findings = {f["check"]: f for f in json.loads(done.stdout)["findings"]}
    assert done.returncode == 0
    assert "Stoa server runs" in findings["address"]["detail"]
    assert findings["migrations"]["verdict"] == "ok"


def test_the_doctor_works_without_the_database_and_says_what_to_do(
    server: StoaServer, tmp_path: Path
) -> None:
    config = tmp_path / "stoa.yaml"
    config.write_text("providers: []\nmodels:\n  - {name: m, provider: nobody, api_key: x}\n")
    blocked = tmp_path / "file"
    blocked.write_text("")

    places = {"STOA_CONFIG": str(config), "STOA_DATA_DIR": str(blocked / "below")}

    embedded = server.run("doctor", **places)
    url = "postgresql://stoa:canary@127.0.0.1:9/stoa"
    external = server.run("doctor", STOA_DATABASE_URL=url, **places)

    assert (embedded.returncode, external.returncode) == (1, 1)
    assert "FAIL  configuration: line 3: " in embedded.stdout
    assert "FAIL  data directory: " in embedded.stdout
    assert embedded.stdout.count("->") == 2
    assert "FAIL  database: " in external.stdout
    assert "data directory" not in external.stdout
    assert external.stdout.count("->") == 2
    assert "canary" not in external.stdout + external.stderr


def test_selftest_passes_against_stoa_and_prints_only_json(server: StoaServer) -> None:
    done = server.run("selftest", server.url, "--api-key", server.key, "--json")

    report = json.loads(done.stdout)
    assert report["failed"] == 0, report
    assert report["skipped"] == 0, report
    assert done.returncode == 0
    assert server.key not in done.stdout + done.stderr


def test_selftest_fails_with_1_where_nothing_listens(server: StoaServer) -> None:
    done = server.run("selftest", "http://127.0.0.1:9")

    assert done.returncode == 1
    assert "FAIL" in done.stdout


def test_a_bad_setting_is_one_line_and_exit_code_2(server: StoaServer) -> None:
    mistyped = server.run("keys", "list", STOA_PROT="1")
    wrong = server.run("serve", "--port", "http")

    assert (mistyped.returncode, wrong.returncode) == (2, 2)
    assert mistyped.stderr == (
        "stoa: STOA_PROT (environment) is not a setting: did you mean STOA_PORT?\n"
    )
    assert wrong.stderr.startswith("stoa: --port: expected a whole number")


def test_the_secret_key_is_kept_in_the_data_directory(server: StoaServer) -> None:
    done = server.run("settings", "show", "--json")

    items = {item["variable"]: item for item in json.loads(done.stdout)["items"]}
    key = server.data_dir / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert items["STOA_SECRET_KEY"]["source"] == "data directory"
    assert items["STOA_SECRET_KEY"]["value"] == "[MASKED]"
    assert key.read_text().strip() not in done.stdout + server.output


def test_settings_are_shown_with_their_source_and_without_secrets(server: StoaServer) -> None:
    done = server.run("--debug", "settings", "show", "--json", STOA_METRICS_TOKEN="canary-123")

    items = {item["variable"]: item for item in json.loads(done.stdout)["items"]}
    assert items["STOA_DATA_DIR"]["source"] == "environment"
    assert items["STOA_METRICS_TOKEN"]["value"] == "[MASKED]"
    assert "canary" not in done.stdout + done.stderr
