"""Data sets on disk to records, records to training clips."""
