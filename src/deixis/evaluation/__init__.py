"""Models over benchmarks: protocols, reports, records of results."""
