"""Streams of rows with a known change, put to the detector and to the usual rules. Pure: chance is handed in."""
