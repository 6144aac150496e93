"""Receiving: messages from a broker, how old they are, and when every message could be received."""
