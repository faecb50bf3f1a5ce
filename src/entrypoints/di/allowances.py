from dishka import Provider, Scope, provide

from application.inference.call_allowances import CallAllowances


class AllowancesProvider(Provider):
    """What bounds the callers of models, in the order in which it is asked: limits, then the
    budget."""

    scope = Scope.APP

    @provide
    def call_allowances(self) -> CallAllowances:
        return CallAllowances(())
