"""The audit log: its routes, and the thread that writes counted acts."""
