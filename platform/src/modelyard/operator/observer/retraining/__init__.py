"""What came of the retrainings of Models."""
