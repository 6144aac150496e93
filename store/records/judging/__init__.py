"""What changes how a lift is judged: maintenance windows, and changed thresholds."""
