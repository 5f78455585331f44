"""Registries: where entries live.

A registry is anything with the methods of `bucket.BucketRegistry`:

    push(folder, progress)         a checked entry folder becomes a version; a pushed version never changes
    resolve(name, version, alias)  the one `Entry` that a Model's `spec.source` means
    entries()                      everything there is, with the aliases that point at it
    set_alias(name, alias, version)
    fetch(entry, folder)           the files, verified against the digest they were pushed with

An entry is complete once its manifest exists, and the manifest is written last and only if there is none:
readers see a whole version or nothing, and of two pushes of one version exactly one wins.
"""
