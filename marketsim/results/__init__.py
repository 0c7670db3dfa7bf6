"""Results of a run: figures, verdict, documents and files."""
