"""The MQTT client: address, TLS, credentials, back-off."""
