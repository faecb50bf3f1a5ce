"""Every configuration that the documents show is one that the server takes."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from adapters.catalog.catalog_file import load_catalog

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "providers:" in page.read_text()
)
EXAMPLE = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
FILES = ("models/my-model-Q4_K_M.gguf", "models/qwen3-0.6b.gguf", "certs/company.pem")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)\}")


def examples() -> Iterator[ParameterSet]:
    """Those that are whole files."""
    for page in PAGES:
        found = EXAMPLE.findall((ROOT / page).read_text())
        for number, (_, example) in enumerate(found, 1):
            whole = textwrap.dedent(example)
            if whole.lstrip().startswith(("providers:", "#")):
                yield pytest.param(whole, id=f"{page}-{number}")


@pytest.mark.parametrize("example", tuple(examples()))
def test_an_example_in_the_documents_is_valid(example: str, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    config = tmp_path / "stoa.yaml"
    config.write_text(example)

    catalog = load_catalog(config, dict.fromkeys(VARIABLE.findall(example), "sk-1"))

    assert catalog.providers
    assert catalog.models
