"""How commands ask for a password: never on the command line, which other processes can see."""

import sys

import click

password_option = click.option(
    "--password",
    "asks_password",
    is_flag=True,
    help="Ask for a password, or read one line of standard input.",
)


def read_password() -> str:
    """From the terminal, twice and unseen, or from what is piped in."""
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise click.UsageError("There is no password on standard input.")
    return line
