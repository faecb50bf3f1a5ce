from contextvars import ContextVar

# The id that ties together all that is done for one request: its log lines, ledger row and
# upstream calls. "-" stands outside of any request.
correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")
