from collections.abc import AsyncIterable

from dishka import Provider, Scope, provide

from adapters.mail.console_mailer import ConsoleMailer
from adapters.mail.mail_account import MailAccount
from adapters.mail.no_mailer import NoMailer
from adapters.system.errands import BackgroundErrands
from application.identity.joining.links import Links
from application.operations.ports import Mailer
from application.operations.records.error_reporter import ErrorReporter
from application.shared.ports import Clock, Errands, IdGenerator
from entrypoints.listening import own_url
from entrypoints.settings import Settings


class MailProvider(Provider):
    """How Stoa reaches people outside of a request."""

    scope = Scope.APP

    @provide
    def mailer(self, settings: Settings, clock: Clock, ids: IdGenerator) -> Mailer:
        if settings.mail_url is not None:
            # An SMTP client, for servers that send mail.
            from adapters.mail.smtp_mailer import SmtpMailer  # noqa: PLC0415

            account = MailAccount.of_url(settings.mail_url)
            return SmtpMailer(account, sender=settings.mail_from or "", clock=clock, ids=ids)
        return NoMailer() if settings.is_production else ConsoleMailer()

    @provide
    def links(self, settings: Settings) -> Links:
        url = settings.public_url or own_url(settings.host, settings.port)
        return Links(url.rstrip("/"))

    @provide
    async def errands(self, reporter: ErrorReporter) -> AsyncIterable[Errands]:
        errands = BackgroundErrands(reporter=reporter)
        yield errands
        await errands.stop()
