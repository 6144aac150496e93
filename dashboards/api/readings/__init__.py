"""Routes of a lift's readings: streams, and trips with their ride quality."""
