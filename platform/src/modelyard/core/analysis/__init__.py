"""What the evidence says of a candidate: gates, their inputs and results, and the words they are told in."""
