"""The HTTP port of a monitor: metrics, readiness and health of the process."""
