from functools import cached_property
from itertools import count

from application.inference.admission import Admission
from application.inference.attempts.attempts import Attempts
from application.inference.attempts.deployment_limits import DeploymentLimitCheck
from application.inference.call_allowances import CallAllowances
from application.inference.call_policy import CallPolicy
from application.inference.interception import Interception, Interceptor
from application.inference.invoke_model import InvokeModel
from application.inference.ports import Ledger, ModelProviders
from application.inference.routing.candidates import Candidates
from application.inference.routing.deployments import Deployments
from application.inference.routing.planner import Planner
from application.inference.stream_model import StreamModel
from application.models.ports import ModelCatalog
from application.operations.ports import RuntimeSettings
from tests.fakes.clock import FrozenClock
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.fakes.routing import ClockedPauses, InMemoryDeploymentBoard

_processes = count(1)


class DataPlane:
    """The data plane of one process on fakes."""

    def __init__(
        self,
        *,
        clock: FrozenClock,
        ledger: Ledger,
        settings: RuntimeSettings,
        catalog: ModelCatalog,
        providers: ModelProviders,
        board: InMemoryDeploymentBoard | None = None,
    ) -> None:
        self.clock, self.ledger, self.settings, self.catalog = clock, ledger, settings, catalog
        self.providers = providers
        self.board = board or InMemoryDeploymentBoard()
        self.pauses = ClockedPauses(clock)
        self.limits = InMemoryRateLimits()
        self.allowances = CallAllowances()
        self.interceptors: tuple[Interceptor, ...] = ()
        self.deployments = Deployments(
            clock=clock, settings=settings, board=self.board, name=f"process {next(_processes)}"
        )

    @property
    def planner(self) -> Planner:
        return Planner(
            policy=CallPolicy(catalog=self.catalog, settings=self.settings),
            catalog=self.catalog,
            candidates=self.candidates,
            deployments=self.deployments,
            clock=self.clock,
        )

    @cached_property
    def candidates(self) -> Candidates:
        return Candidates(catalog=self.catalog, deployments=self.deployments, clock=self.clock)

    def use_cases(self) -> tuple[InvokeModel, StreamModel]:
        planner = self.planner
        admission = Admission(
            policy=planner.policy,
            planner=planner,
            deployments=self.deployments,
            interception=Interception(self.interceptors),
            ledger=self.ledger,
            clock=self.clock,
            allowances=self.allowances,
        )
        attempts = Attempts(
            providers=self.providers,
            deployments=self.deployments,
            limits=DeploymentLimitCheck(limits=self.limits),
            pauses=self.pauses,
        )
        return (
            InvokeModel(admission=admission, attempts=attempts),
            StreamModel(admission=admission, attempts=attempts),
        )
