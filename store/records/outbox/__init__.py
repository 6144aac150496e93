"""The outbox: transitions of alerts for webhooks and MQTT, and notifications to people by their ways."""
