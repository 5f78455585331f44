"""Model files of frameworks that are not installed here, converted where they are: in environments of their own."""
