"""What a run found: figures, verdict, documents and files."""
