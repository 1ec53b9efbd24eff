"""Predefined integrations, one file each. To add one: write its file, add it to the list."""

from __future__ import annotations

from webapp.integrations.predefined.base import ActionTemplate, FieldTemplate, Predefined, Preset
from webapp.integrations.predefined.slack import SLACK
from webapp.registry import Registry

PREDEFINED: Registry[Predefined] = Registry("predefined integration", [SLACK])

__all__ = ["PREDEFINED", "ActionTemplate", "FieldTemplate", "Predefined", "Preset"]
