"""Execution modes, one file each. To add one: write its file, add it to the list."""

from __future__ import annotations

from webapp.integration_runs.modes.base import ExecutionMode
from webapp.integration_runs.modes.fire_and_forget import FireAndForget
from webapp.registry import Registry

MODES: Registry[ExecutionMode] = Registry("execution mode", [FireAndForget()])

__all__ = ["MODES", "ExecutionMode"]
