"""Who may sign in: organisations, people and machine accounts, their sessions, tokens and one-time links."""
