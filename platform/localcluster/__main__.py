"""`python -m localcluster`."""

from .commands import main

main()
