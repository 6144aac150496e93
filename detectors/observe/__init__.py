"""Turns batches into the tables that rules read."""
