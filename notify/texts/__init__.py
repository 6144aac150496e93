"""Texts of notifications: the message in a language, and the forms that receivers limit. Pure."""
