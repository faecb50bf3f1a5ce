from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message to one person. Its text may hold a link that opens an account, so that nothing but
    the mail itself may show it."""

    to: str
    subject: str
    text: str = field(repr=False)


def masked_address(address: str) -> str:
    """Enough of an e-mail address to recognise it by: ``a…@example.com``."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}…{at}{domain}"
