"""Python packages that must not share our environment, installed into folders of their own on this machine."""
