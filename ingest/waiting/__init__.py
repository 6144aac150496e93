"""Waiting: messages of lifts that sent more than a turn's share, and what of them does not wait."""
