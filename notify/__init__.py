"""How people are told: alerts on MQTT and webhooks, from an outbox, each channel at its own pace."""
