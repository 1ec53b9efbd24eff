"""Custom fields: definitions, and the values that tasks and runbooks hold."""
