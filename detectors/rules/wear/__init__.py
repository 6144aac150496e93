"""The rules of wear: brake, ropes, sheave, guides and machine, over days."""
