"""The report: results as one page that opens offline. Imported when a report is asked for, never before."""
