"""A simulated fleet of lifts with passengers and labelled faults, played to an MQTT broker."""
