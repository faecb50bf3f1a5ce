"""A llama.cpp server inside this process, reachable by function call only.

Importing this module needs xllamacpp.
"""

import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import xllamacpp

from adapters.providers.local.model_spec import LocalModelSpec
from domain.inference.errors import ProviderFailedError
from domain.models.served_model import ModelKind

# A prompt is read in steps of so many tokens, and an abort is noticed between two of them: half a
# second for a small model on one core. Larger steps are not faster on a CPU.
CHAT_BATCH = 128
# Prompts that left their slot are kept up to this much; the default would be 8 GB.
PROMPT_CACHE_MIB = 64
SILENT = -1
MAX_SOCKET_PATH = 100
POOLINGS = {
    "mean": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN,
    "cls": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_CLS,
    "last": xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_LAST,
}
ENGINE_VERSION: str = xllamacpp.__version__


def open_server(spec: LocalModelSpec) -> xllamacpp.Server:
    """Load the model. xllamacpp keeps the interpreter lock meanwhile (0.2 s for a small model
    whose file is in the system's cache), so its warm-up is left to the caller's first call.

    llama.cpp's server always listens somewhere. Here it is a Unix socket in a private folder that
    is removed as soon as the server is up, so that nobody can connect; where that is not possible
    it is a random port on 127.0.0.1 that wants a random key.
    """
    folder = Path(tempfile.mkdtemp(prefix="stoa-"))
    try:
        return xllamacpp.Server(_params(spec, folder))
    except (RuntimeError, ValueError) as error:
        raise ProviderFailedError(
            f"llama.cpp could not load '{spec.file}': the file is damaged or of an unknown "
            "architecture, or there is not enough memory."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _params(spec: LocalModelSpec, folder: Path) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(spec.file)
    params.model_alias = {spec.name}
    params.cpuparams.n_threads = spec.threads
    params.cpuparams_batch.n_threads = spec.threads
    params.n_parallel = spec.slots
    params.n_ctx = spec.context_length * spec.slots
    params.fit_params = False
    params.ctx_shift = False
    params.warmup = False
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.verbosity = SILENT
    params.use_jinja = True
    if spec.kind is ModelKind.EMBEDDING:
        params.embedding = True
        params.n_batch = params.n_ubatch = spec.context_length
        if spec.pooling is not None:
            params.pooling_type = POOLINGS[spec.pooling]
    else:
        params.n_batch = params.n_ubatch = min(CHAT_BATCH, spec.context_length)
        if spec.chat_template is not None:
            params.chat_template = spec.chat_template
    _close_door(params, folder)
    return params


def _close_door(params: xllamacpp.CommonParams, folder: Path) -> None:
    params.ui = False
    params.api_keys = [secrets.token_urlsafe(32)]
    params.endpoint_props = False
    params.endpoint_slots = False
    params.endpoint_metrics = False
    params.n_threads_http = 1
    socket = folder / "s.sock"
    if sys.platform != "win32" and len(str(socket)) < MAX_SOCKET_PATH:
        params.hostnames = [str(socket)]
