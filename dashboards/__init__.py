"""How people look and answer: HTTP API, live stream and pages."""
