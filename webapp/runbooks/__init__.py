"""Runbooks: the plan, and its live run."""
