"""The states that a lift reports as events (doors, presence, curtain, alarm), and for how long each is believed."""
