from typing import Self

from dishka.integrations.litestar import DishkaRouter


class UnsharedRouter(DishkaRouter):
    """A router that is made for one application and registered once.

    Litestar copies each router that it registers, with its handlers and whatever they hold, for
    another application might register it too. That is a fifth of the work of making ours.
    """

    __slots__ = ()

    def __deepcopy__(self, _memo: dict[int, object]) -> Self:
        return self
