"""Plays a scenario or a recording to an MQTT broker."""
