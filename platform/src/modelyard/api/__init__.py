"""The nouns: custom resources, registry entries and reports as pydantic types, one file a kind.

Every type is closed (an unknown field is an error) and speaks camelCase outside, snake_case inside.
`model.py` is the `Model` resource, `status.py` what the operator says of it, `quantity.py` the small
written forms ("0.1%", "100ms"), `crd.py` turns the types into the CustomResourceDefinition.
"""
