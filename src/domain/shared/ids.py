"""Identifiers. All are UUIDv7, made by the ``IdGenerator`` port, so they sort by creation time."""

from typing import NewType
from uuid import UUID

TeamId = NewType("TeamId", UUID)
UserId = NewType("UserId", UUID)
KeyId = NewType("KeyId", UUID)
SessionId = NewType("SessionId", UUID)
SetupTokenId = NewType("SetupTokenId", UUID)
PasswordResetId = NewType("PasswordResetId", UUID)
InvitationId = NewType("InvitationId", UUID)
CallId = NewType("CallId", UUID)
AllotmentId = NewType("AllotmentId", UUID)
ResponseId = NewType("ResponseId", UUID)
AuditId = NewType("AuditId", UUID)
EventId = NewType("EventId", UUID)
NotificationId = NewType("NotificationId", UUID)
ErrorId = NewType("ErrorId", UUID)
ErrorGroupId = NewType("ErrorGroupId", UUID)
ProviderId = NewType("ProviderId", UUID)
ModelId = NewType("ModelId", UUID)
PriceId = NewType("PriceId", UUID)
RouteId = NewType("RouteId", UUID)
