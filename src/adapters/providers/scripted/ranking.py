import re

from adapters.providers.rerank_wire import read_reranking, write_ranking
from adapters.providers.scripted.options import ScriptedOptions
from adapters.providers.scripted.reply import count_tokens
from adapters.providers.scripted.wire import request_id
from application.inference.ports import ProviderAnswer, ProviderRequest
from domain.shared.usage import Usage

_WORD = re.compile(r"\w+")


def rank(request: ProviderRequest, options: ScriptedOptions) -> ProviderAnswer:
    """Scores a document by how many of the query's words it has."""
    asked = read_reranking(request)
    wanted = _words(asked.query)
    usage = Usage(
        prompt_tokens=count_tokens(asked.query) + sum(count_tokens(text) for text in asked.texts)
    )
    if options.usage is not None:
        usage = options.usage.usage()
    scores = [len(wanted & _words(text)) / max(len(wanted), 1) for text in asked.texts]
    answer_id = f"rerank-{request_id(request)}"
    return ProviderAnswer(
        body=write_ranking(asked, scores, usage=usage, answer_id=answer_id),
        usage=usage,
        provider_request_id=f"scripted-{request_id(request)}",
    )


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
