"""The report: results as one page that opens offline. Imported only for a report."""
