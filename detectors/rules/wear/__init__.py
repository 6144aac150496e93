"""The rules of wear and settings that show over many trips: brake, ropes, sheave, guides, levelling."""
