"""Objects as the API server or a builder gives them: statuses, reports, faults, refused Models."""
