"""The journal: what arrived, as it came, in order, synced before it is acknowledged.

All else is a reader with a position. Three verbs (append, read, trim) so that a distributed log can take its place.
"""
