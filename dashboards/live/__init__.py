"""The latest state of the fleet, read from the records, and the live event stream of its changes."""
