"""The monitor process: receives readings, remembers and judges them."""
