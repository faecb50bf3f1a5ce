"""Every configuration that the documents show is one that the server takes."""

import re
from pathlib import Path

import pytest

from adapters.catalog.catalog_file import load_catalog

ROOT = Path(__file__).resolve().parents[3]
PAGES = (
    "README.md",
    "docs/how-to/amazon-bedrock.md",
    "docs/how-to/configure-providers.md",
    "docs/how-to/google-gemini.md",
    "docs/how-to/use-the-scripted-provider.md",
    "docs/reference/configuration.md",
)
EXAMPLE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES = ("models/my-model-Q4_K_M.gguf", "models/qwen3-0.6b.gguf", "certs/company.pem")
VARIABLES = {
    "OPENAI_API_KEY": "sk-1",
    "VLLM_API_KEY": "sk-2",
    "EXAMPLE_KEY": "sk-3",
    "GEMINI_API_KEY": "AIza-4",
    "AWS_ACCESS_KEY_ID": "AKIA5",
    "AWS_SECRET_ACCESS_KEY": "secret-5",
    "AWS_BEARER_TOKEN_BEDROCK": "bedrock-6",
}


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(example, id=f"{page}-{number}")
        for page in PAGES
        for number, example in enumerate(EXAMPLE.findall((ROOT / page).read_text()), 1)
    ],
)
def test_an_example_in_the_documents_is_valid(example: str, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    config = tmp_path / "stoa.yaml"
    config.write_text(example)

    catalog = load_catalog(config, VARIABLES)

    assert catalog.providers
    assert catalog.models
