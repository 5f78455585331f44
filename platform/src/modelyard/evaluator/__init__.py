"""Looks each minute at what recorders counted: are the rows of every recorded revision as they were?"""
