"""Questions to outside parties, asked in the background: a reconcile pass only ever reads answers that are there."""
