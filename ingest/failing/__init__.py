"""What fails in judging and storing by a mistake of the monitor: set aside, so that everything else goes on."""
