"""How we speak MQTT: address, client, TLS, credentials, patience."""
