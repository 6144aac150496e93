"""HTTP concerns shared by all routes: the request guard, problem documents, cursors and metrics."""
