"""Turns batches into the tables that rules read.

readings         ─► `rows`        one a reading
finished trips   ─► `trips`       cut in `rest`
vibration block  ─► `features`    one row a block
messages         ─► `arrivals`    one a message
"""
