"""What every request meets: the guard, problem documents, cursors and metrics."""
