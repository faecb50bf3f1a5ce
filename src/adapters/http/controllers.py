"""Everything under ``/api/v1`` but health."""

from adapters.http.audit.controller import AuditController
from adapters.http.budgets.controller import BudgetsController
from adapters.http.calls.controller import CallsController
from adapters.http.costs.controller import CostsController
from adapters.http.error_records.controller import ErrorRecordsController
from adapters.http.events.controller import EventsController
from adapters.http.joining.account_controller import AccountController
from adapters.http.joining.invitations_controller import InvitationsController, InvitedController
from adapters.http.joining.setup_controller import SetupController
from adapters.http.keys.controller import KeysController
from adapters.http.limits.controller import LimitsController
from adapters.http.me.controller import MeController
from adapters.http.members.controller import MembersController
from adapters.http.models.controller import ModelsController
from adapters.http.notifications.controller import NotificationsController
from adapters.http.prices.controller import ModelPricesController, PricesController
from adapters.http.providers.controller import ProvidersController
from adapters.http.routes.controller import RoutesController
from adapters.http.sessions.controller import SessionsController
from adapters.http.sessions.login_controller import LoginController
from adapters.http.settings.controller import SettingsController
from adapters.http.team.controller import TeamController
from adapters.http.teams.controller import TeamsController
from adapters.http.usage.controller import UsageController
from adapters.http.users.controller import UsersController

# What needs credentials.
GUARDED = (
    SessionsController,
    MeController,
    KeysController,
    TeamController,
    TeamsController,
    UsersController,
    MembersController,
    CallsController,
    UsageController,
    BudgetsController,
    LimitsController,
    SettingsController,
    InvitationsController,
    EventsController,
    NotificationsController,
    AuditController,
    ErrorRecordsController,
    ProvidersController,
    ModelsController,
    RoutesController,
    ModelPricesController,
    PricesController,
    CostsController,
)
# What people use who have none, or none yet.
OPEN = (LoginController, SetupController, AccountController, InvitedController)
