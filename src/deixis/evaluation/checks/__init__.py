"""What can be wrong with a folder of predictions, found before and while it is scored."""
