"""Parts of what is said of a Model, in words: each is shown by `get`, `explain` or both."""
