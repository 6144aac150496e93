"""The wire formats: payloads to columns and back."""
