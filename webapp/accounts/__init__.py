"""People: users, global roles, sign-in, sessions, profile."""
