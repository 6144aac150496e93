"""Buildings: their lifts, their people, and the lift traffic of a day."""
