"""Delivery of alerts by MQTT and webhook, from an outbox."""
