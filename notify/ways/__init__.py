"""Senders of notifications: one file for each way, each behind the interface of `notify.ways.sender`."""
