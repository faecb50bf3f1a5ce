"""The services that a LiteLLM proxy knows, and what Stoa has for them."""

import re
from collections.abc import Mapping

from adapters.catalog.writing import variable_for

# By its other names there.
_SAME = {
    "text-completion-openai": "openai",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
}
TYPES = {
    "openai": "openai",
    "azure": "azure-openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "bedrock": "bedrock",
    "mistral": "mistral",
    "cohere": "cohere",
    "ollama": "ollama",
}
# What a type has models of; the others have all kinds.
KINDS = {
    "openai": {"chat", "embedding", "moderation", "image", "transcription", "speech"},
    "azure-openai": {"chat", "embedding", "image", "transcription", "speech"},
    "anthropic": {"chat"},
    "google": {"chat", "embedding"},
    "bedrock": {"chat", "embedding"},
    "mistral": {"chat", "embedding", "moderation", "transcription"},
    "cohere": {"chat", "embedding", "rerank"},
    "ollama": {"chat", "embedding"},
}
# What speaks OpenAI's API, and where; None is where the file says.
COMPATIBLE = {
    "ai21_chat": "https://api.ai21.com/studio/v1",
    "aiml": "https://api.aimlapi.com/v1",
    "baseten": "https://inference.baseten.co/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "codestral": "https://codestral.mistral.ai/v1",
    "dashscope": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "deepseek": "https://api.deepseek.com/v1",
    "featherless_ai": "https://api.featherless.ai/v1",
    "fireworks_ai": "https://api.fireworks.ai/inference/v1",
    "friendliai": "https://api.friendli.ai/serverless/v1",
    "github": "https://models.inference.ai.azure.com",
    "gmi": "https://api.gmi-serving.com/v1",
    "groq": "https://api.groq.com/openai/v1",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "jina_ai": "https://api.jina.ai/v1",
    "lambda_ai": "https://api.lambda.ai/v1",
    "meta_llama": "https://api.llama.com/compat/v1",
    "moonshot": "https://api.moonshot.ai/v1",
    "nebius": "https://api.studio.nebius.ai/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "nscale": "https://inference.api.nscale.com/v1",
    "nvidia_nim": "https://integrate.api.nvidia.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "perplexity": "https://api.perplexity.ai",
    "sambanova": "https://api.sambanova.ai/v1",
    "scaleway": "https://api.scaleway.ai/v1",
    "together_ai": "https://api.together.xyz/v1",
    "vercel_ai_gateway": "https://ai-gateway.vercel.sh/v1",
    "volcengine": "https://ark.cn-beijing.volces.com/api/v3",
    "wandb": "https://api.inference.wandb.ai/v1",
    "xai": "https://api.x.ai/v1",
    "zai": "https://api.z.ai/api/paas/v4",
    "custom_openai": None,
    "docker_model_runner": None,
    "hosted_vllm": None,
    "infinity": None,
    "litellm_proxy": None,
    "llamafile": None,
    "lm_studio": None,
    "openai_like": None,
    "xinference": None,
}
_FAMILIES = {"claude": "anthropic", "gemini": "gemini", "mistral": "mistral", "command": "cohere"}
# The variables that are read there when the file says nothing.
_USUAL: Mapping[str, Mapping[str, str]] = {
    "azure": {"api_key": "AZURE_API_KEY", "base_url": "AZURE_API_BASE"},
    "bedrock": {
        "region": "AWS_REGION_NAME",
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
    },
    "friendliai": {"api_key": "FRIENDLI_TOKEN"},
    "github": {"api_key": "GITHUB_API_KEY"},
    "lambda_ai": {"api_key": "LAMBDA_API_KEY"},
    "meta_llama": {"api_key": "LLAMA_API_KEY"},
    "perplexity": {"api_key": "PERPLEXITYAI_API_KEY"},
    "scaleway": {"api_key": "SCW_SECRET_KEY"},
    "together_ai": {"api_key": "TOGETHERAI_API_KEY"},
    **{key: {} for key in ("docker_model_runner", "hosted_vllm", "infinity", "llamafile")},
    **{key: {} for key in ("lm_studio", "ollama", "xinference")},
}
_WAYS_OF_BEDROCK = ("converse", "invoke", "converse_like", "llama", "deepseek_r1", "nova", "qwen3")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+")
_OF_ARN = re.compile(r"arn:aws[^:]*:bedrock:([a-z0-9-]+):")


def service_and_model(parameters: Mapping[str, object]) -> tuple[str, str]:
    model = str(parameters.get("model") or "")
    given = parameters.get("custom_llm_provider")
    prefix, slash, rest = model.partition("/")
    if given:
        upstream = rest if slash and prefix == given else model
        return _SAME.get(str(given), str(given)), upstream
    prefix = _SAME.get(prefix, prefix)
    if slash:
        return prefix, rest
    family = next((one for start, one in _FAMILIES.items() if model.startswith(start)), "openai")
    return family, model


def usual_variables(service: str) -> Mapping[str, str]:
    return _USUAL.get(service, {"api_key": variable_for(service, "api_key")[2:-1]})


def within_bedrock(model: str) -> tuple[str | None, str]:
    """The region that stands before the model or in it, if one does, and the model without the way
    that it is asked in."""
    region = None
    while "/" in model and not model.startswith("arn:"):
        first, _, rest = model.partition("/")
        if first not in _WAYS_OF_BEDROCK and not _REGION.fullmatch(first):
            break
        region = first if _REGION.fullmatch(first) else region
        model = rest
    named = _OF_ARN.match(model)
    return region or (named[1] if named else None), model
