"""Signatures: who vouches for an entry or a build, and whether it is still what they signed.

    keys.py              Ed25519 keys in PEM files, and the short id of each
    envelope.py          a statement with its signatures: in-toto inside DSSE
    entry_signature.py   what a person signs: every file of an entry
    build_provenance.py  what the builder signs: every file of a build, and what it was made from and how
    verified_start.py    the program that checks a build in the pod that serves it, before the server starts

A signature is over names and SHA-256 digests, so whoever has checked one has to hash the files as well:
`registry.bucket` does so for entries, `verified_start.py` for builds.
"""
