"""Who and what is watched: the lifts' own facts and windows of maintenance."""
