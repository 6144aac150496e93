"""The rules of hard braking: emergency stops, and what they show of the safety chain."""
