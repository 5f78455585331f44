"""From values that people have to the arrays a model takes; whatever does not fit is refused with a sentence."""
