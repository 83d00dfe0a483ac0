"""Network parts that at least two models share."""
