"""Delivery of notifications to people: routing by their ways, the pace of each address, sending and retrying."""
