"""Trips: from coming out of rest to coming to rest, at another place.

The one definition of rest and of a trip, for the running state of each car and for a stored series of one lift.
"""

from __future__ import annotations

STILL_MPS = 0.05
STILL_S = 2.0
TRIP_MIN_M = 0.5
"""A shorter way is levelling."""
