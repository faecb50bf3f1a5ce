from pathlib import Path

import pytest

from adapters.embedded_postgres.data_directory import secret_key
from domain.operations.errors import DataDirectoryError
from entrypoints.checkup.finding import Verdict
from entrypoints.checkup.secret import check_secret_key
from entrypoints.secret_key import kept_secret_key_file, with_secret_key
from entrypoints.settings import Settings

EXTERNAL = "postgresql://db.example/stoa"


def test_the_first_start_makes_a_key_and_later_ones_find_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")

    first = with_secret_key(settings).secret_key
    second = with_secret_key(settings).secret_key

    assert first is not None
    assert len(first) == 64
    assert second == first
    assert kept_secret_key_file(settings) == tmp_path / "data" / "secret_key"


@pytest.mark.parametrize(
    "given", [{"secret_key": "s" * 32}, {"database_url": EXTERNAL}], ids=["set", "external"]
)
def test_no_key_is_made_where_none_is_needed(tmp_path: Path, given: dict[str, str]) -> None:
    settings = Settings(data_dir=tmp_path / "data", **given)  # type: ignore[arg-type]  # by name

    assert with_secret_key(settings) is settings
    assert kept_secret_key_file(settings) is None
    assert not settings.data_dir.exists()


def test_the_doctor_says_where_the_key_comes_from(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    before = check_secret_key(settings)
    secret_key(tmp_path)
    after = check_secret_key(settings)
    given = check_secret_key(Settings(data_dir=tmp_path, secret_key="s" * 32))
    external = check_secret_key(Settings(data_dir=tmp_path, database_url=EXTERNAL))

    assert [finding.verdict for finding in (before, after, given, external)] == [Verdict.OK] * 4
    assert before.detail == "made at the first start"
    assert after.detail == f"kept in {tmp_path / 'secret_key'}"
    assert given.detail == "set by STOA_SECRET_KEY"
    assert external.detail.startswith("not set")


def test_the_doctor_warns_of_a_key_that_others_may_read(tmp_path: Path) -> None:
    secret_key(tmp_path)
    (tmp_path / "secret_key").chmod(0o640)

    finding = check_secret_key(Settings(data_dir=tmp_path))

    assert finding.verdict is Verdict.WARN
    assert finding.advice == f"run `chmod 600 {tmp_path / 'secret_key'}`"


def test_a_damaged_key_stops_the_start_and_the_doctor_says_so(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("damaged")
    (tmp_path / "secret_key").chmod(0o600)

    with pytest.raises(DataDirectoryError):
        with_secret_key(Settings(data_dir=tmp_path))

    assert check_secret_key(Settings(data_dir=tmp_path)).verdict is Verdict.FAIL
