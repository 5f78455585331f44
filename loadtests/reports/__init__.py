"""What a load test found: numbers, sentences, a page with pictures, and two of them beside each other."""
