"""Market calendars and timetables: when a market is open, and when the bars of a series open and end."""
