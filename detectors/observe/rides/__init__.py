"""Rides: one row for each finished trip with its doors, its stop and, where there is vibration, its ride quality."""
