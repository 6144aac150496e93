"""Health of lifts from the trips of many days: trends of measures, and with the alerts the health of each part."""
