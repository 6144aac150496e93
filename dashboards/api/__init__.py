"""The HTTP API: one module for each group of routes, the schema of requests and responses, the application context."""
