"""What is installed into the cluster: prerequisites, add-ons, the platform's own release."""
