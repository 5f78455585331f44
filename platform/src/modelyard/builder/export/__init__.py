"""Archives for machines without Modelyard, in several formats, each with a check."""
