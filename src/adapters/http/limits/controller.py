from dishka import FromDishka
from litestar import Controller, get
from litestar.di import NamedDependency

from adapters.http.limits.schemas import CallerLimitsView
from application.inference.show_limits import ShowLimits
from application.shared.actor import Actor


class LimitsController(Controller):
    path = "/limits"
    tags = ("inference",)

    @get(operation_id="get_limits", summary="Show the caller's limits")
    async def get_limits(
        self, actor: NamedDependency[Actor], use_case: FromDishka[ShowLimits]
    ) -> CallerLimitsView:
        """Shows the limits of model calls that the caller has, and what remains of the tightest.
        Asking takes nothing away from them."""
        return CallerLimitsView.of(await use_case(actor))
