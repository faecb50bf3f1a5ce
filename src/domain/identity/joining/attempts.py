"""How often strangers may try what joining is made of."""

from datetime import timedelta

from domain.identity.attempts import AttemptLimit, AttemptSubject, network_of

# The tokens cannot be guessed; this bounds the work that guessing makes.
TOKENS_PER_ADDRESS = AttemptLimit(at_once=30, every=timedelta(seconds=5))
# Nobody shall be able to fill somebody else's mailbox, or to send a multitude of mails.
MAILS_PER_ADDRESS = AttemptLimit(at_once=20, every=timedelta(minutes=1))
MAILS_PER_ACCOUNT = AttemptLimit(at_once=5, every=timedelta(minutes=10))


def token_subjects(address: str | None) -> tuple[AttemptSubject, ...]:
    """What an attempt to use a token is counted on."""
    return _of_address("token address", address, TOKENS_PER_ADDRESS)


def mail_subjects(address: str | None) -> tuple[AttemptSubject, ...]:
    """What asking for a mail is counted on, whoever it is to."""
    return _of_address("mail address", address, MAILS_PER_ADDRESS)


def mailbox_subjects(email: str) -> tuple[AttemptSubject, ...]:
    """What each mail to somebody who may not have asked for it is counted on."""
    return (AttemptSubject("mail account", email, MAILS_PER_ACCOUNT),)


def _of_address(kind: str, address: str | None, limit: AttemptLimit) -> tuple[AttemptSubject, ...]:
    return () if address is None else (AttemptSubject(kind, network_of(address), limit),)
