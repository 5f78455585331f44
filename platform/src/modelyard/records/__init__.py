"""What is kept of requests and answers: which columns tensors become, and rows as Parquet."""
