import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

import click
import msgspec

from adapters.system.clock import SystemClock
from adapters.system.ids import SystemIds
from application.inference.invoke_model import InvokeModel
from application.inference.stream_model import StreamModel
from application.shared.correlation import correlation_id
from application.shared.ports import Clock
from domain.shared.ids import CallId
from entrypoints.cli.audit_log import Exchange, open_log, write_line
from entrypoints.cli.chat_answer import ChatAnswer
from entrypoints.cli.conversation import Message, read_messages, request_body
from entrypoints.cli.invocation import Invocation
from entrypoints.cli.session import Session, run_async, run_session
from entrypoints.cli.talking import LocalTalk, RemoteTalk, Talk


@click.command()
@click.argument("model")
@click.argument("words", nargs=-1, metavar="[MESSAGE | ROLE CONTENT ROLE CONTENT ...]")
@click.option("--system", help="Instructions that come before everything else.")
@click.option(
    "--temperature", type=click.FloatRange(0, 2), help="How much chance there is in the answer."
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="Longest answer, in tokens.")
@click.option("--no-stream", is_flag=True, help="Print the answer when it is whole.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@click.option(
    "--logfile",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append a line of JSON on this exchange, with contents cut short.",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Log whole contents, and print tokens and times."
)
@click.option("--url", help="Talk to this server over HTTP instead, Stoa or another one.")
@click.option("--api-key", envvar="STOA_API_KEY", help="Key for --url (STOA_API_KEY).")
@click.pass_obj
def chat_command(
    invocation: Invocation,
    *,
    model: str,
    words: tuple[str, ...],
    system: str | None,
    temperature: float | None,
    max_tokens: int | None,
    no_stream: bool,
    as_json: bool,
    logfile: Path | None,
    verbose: bool,
    url: str | None,
    api_key: str | None,
) -> None:
    """Ask a MODEL and print its answer as it comes.

    \b
    stoa chat smollm2 "What is the capital of France?"
    stoa chat smollm2 system "You are terse." user "Hello" assistant "Hi." user "Who are you?"
    git diff | stoa chat smollm2 --system "Write a commit message."
    """
    source = click.get_current_context().get_parameter_source("api_key")
    if url is None and source is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--api-key is sent to the server that --url names; give that too.")
    messages = read_messages(words, system=system, standard_input=None if words else _piped())
    stream = not (no_stream or as_json)
    body = request_body(
        model, messages, stream=stream, temperature=temperature, max_tokens=max_tokens
    )
    with ExitStack() as stack:
        log = None if logfile is None else stack.enter_context(open_log(logfile))
        chat = Chat(
            model=model, messages=messages, body=body, as_json=as_json, log=log, verbose=verbose
        )
        if url is None:
            run_session(invocation, lambda session: _locally(chat, session))
        else:
            run_async(chat.hold(RemoteTalk(url=url, api_key=api_key)))


@dataclass(slots=True, kw_only=True)
class Chat:
    """One question, its answer on the screen, and its line in the audit log."""

    model: str
    messages: list[Message]
    body: dict[str, object]
    as_json: bool
    log: TextIO | None
    verbose: bool
    clock: Clock = field(default_factory=SystemClock)
    request_id: str = field(default_factory=lambda: str(SystemIds().new()))
    answer: ChatAnswer = field(default_factory=ChatAnswer)
    _started_at: datetime = field(init=False)
    _started: float = field(init=False)
    _ttft_ms: float | None = None

    async def hold(self, talk: Talk) -> None:
        """Print the answer; whatever happens is logged, and an error is raised on."""
        self._started_at, self._started = self.clock.now(), self.clock.monotonic()
        correlation_id.set(self.request_id)
        ask: Callable[[Talk], Awaitable[None]] = (
            self._stream if self.body.get("stream") else self._ask
        )
        try:
            await ask(talk)
        except BaseException as error:
            self._finish(error)
            raise
        self._finish(None)

    async def _ask(self, talk: Talk) -> None:
        whole = await talk.ask(self.body, self.request_id)
        self.answer.take_whole(whole)
        if self.as_json:
            click.echo(msgspec.json.format(whole, indent=2))
        else:
            click.echo(self.answer.text)

    async def _stream(self, talk: Talk) -> None:
        try:
            async with aclosing(talk.stream(self.body, self.request_id)) as blocks:
                async for block in blocks:
                    for piece in self.answer.take_block(block):
                        if self._ttft_ms is None:
                            self._ttft_ms = self._elapsed_ms()
                        click.echo(piece, nl=False)
        finally:
            if self.answer.pieces:
                click.echo()

    def _finish(self, error: BaseException | None) -> None:
        elapsed = self._elapsed_ms()
        if self.log is not None:
            exchange = Exchange(
                model=self.model,
                request_id=self.request_id,
                messages=self.messages,
                stream=bool(self.body.get("stream")),
                answer=self.answer,
                started_at=self._started_at,
                latency_ms=elapsed,
                ttft_ms=self._ttft_ms,
                error=error,
            )
            write_line(self.log, exchange, verbose=self.verbose)
        if self.verbose and error is None:
            usage = self.answer.usage or {}
            click.echo(
                f"{usage.get('prompt_tokens', '?')} tokens in, "
                f"{usage.get('completion_tokens', '?')} out, {elapsed:.0f} ms, "
                f"finish {self.answer.finish_reason}, request {self.request_id}",
                err=True,
            )

    def _elapsed_ms(self) -> float:
        return (self.clock.monotonic() - self._started) * 1000


async def _locally(chat: Chat, session: Session) -> None:
    talk = LocalTalk(
        actor=session.actor,
        call_id=CallId(session.ids.new()),
        invoke_model=await session.get(InvokeModel),
        stream_model=await session.get(StreamModel),
    )
    await chat.hold(talk)


def _piped() -> str | None:
    """What another program pipes in; a terminal is not waited for."""
    if sys.stdin is None or sys.stdin.isatty():
        return None
    return sys.stdin.read().rstrip("\n")
