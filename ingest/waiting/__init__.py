"""The waiting work: messages of lifts that sent more than a turn's share, and rides that are not stored yet."""
