"""Identifiers. All are UUIDv7, made by the ``IdGenerator`` port, so they sort by creation time."""

from typing import NewType
from uuid import UUID

TeamId = NewType("TeamId", UUID)
UserId = NewType("UserId", UUID)
KeyId = NewType("KeyId", UUID)
CallId = NewType("CallId", UUID)
