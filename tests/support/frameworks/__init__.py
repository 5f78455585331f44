"""Models as the frameworks write them, trained in the environments that conversions make."""
