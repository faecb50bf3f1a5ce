import subprocess
import sys
from pathlib import Path

import pytest

from adapters.embedded_postgres.data_directory import (
    DataDirectoryLock,
    prepare_data_directory,
    secret_key,
)
from domain.operations.errors import DataDirectoryError, DataDirectoryInUseError


def test_a_missing_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    data_dir = tmp_path / "a" / "b"

    prepared = prepare_data_directory(data_dir)

    assert prepared == data_dir
    assert data_dir.stat().st_mode & 0o777 == 0o700


def test_a_link_leads_to_the_real_path(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    (tmp_path / "real").mkdir()

    assert prepare_data_directory(link) == tmp_path / "real"


def test_a_path_below_a_file_is_refused_with_the_setting_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataDirectoryError, match="STOA_DATA_DIR") as raised:
        prepare_data_directory(tmp_path / "file" / "data")

    assert raised.value.param == "STOA_DATA_DIR"


def test_the_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = DataDirectoryLock(tmp_path), DataDirectoryLock(tmp_path)
    first.acquire()

    with pytest.raises(DataDirectoryInUseError):
        second.acquire()
    first.release()
    second.acquire()

    second.release()


def test_the_lock_of_an_ended_process_is_free(tmp_path: Path) -> None:
    # `python -c` of a process that takes the lock and ends without releasing it.
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); "
        "fcntl.flock(file, fcntl.LOCK_EX); file.write('1'); file.flush()"
    )
    lock_file = tmp_path / "stoa.lock"
    subprocess.run([sys.executable, "-c", program, str(lock_file)], check=True)  # noqa: S603

    lock = DataDirectoryLock(tmp_path)
    lock.acquire()

    lock.release()


def test_releasing_a_lock_that_is_not_held_does_nothing(tmp_path: Path) -> None:
    lock = DataDirectoryLock(tmp_path)

    lock.release()


def test_the_secret_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = secret_key(tmp_path)
    second = secret_key(tmp_path)

    assert second == first
    assert len(bytes.fromhex(first)) == 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_two_installations_have_different_secret_keys(tmp_path: Path) -> None:
    assert secret_key(tmp_path / "one") != secret_key(tmp_path / "two")


@pytest.mark.parametrize("content", ["", "abc", "ä" * 64], ids=["empty", "short", "not-hex"])
def test_a_damaged_secret_key_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret_key").write_text(content, encoding="utf-8")

    with pytest.raises(DataDirectoryError, match="secret_key") as raised:
        secret_key(tmp_path)

    assert (tmp_path / "secret_key").read_text(encoding="utf-8") == content
    assert not content or content not in raised.value.message
