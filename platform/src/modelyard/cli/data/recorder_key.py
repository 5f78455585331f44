"""The key under which recorders keep what they redact, for verbs that find or write the same hashes."""

import base64

from modelyard.errors import InvalidSettings

KEY_SECRET = "modelyard-recorder-key"  # noqa: S105 - the name of the Secret


def recorder_key(namespace: str, model: str) -> bytes:
    """The key of a Model's hashes. Raises InvalidSettings when the platform's Secret is not where it is looked for."""
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.core.snapshot import Ref
    from modelyard.recorder.redaction import model_key
    from modelyard.settings import Settings

    platform = Settings.read().operator.namespace
    secret = Cluster(access()).get(Ref("Secret", platform, KEY_SECRET))
    if secret is None:
        raise InvalidSettings(
            f"there is no Secret {KEY_SECRET} in namespace {platform}, so what is kept as a hash cannot be found: name "
            "the platform's namespace in MODELYARD_OPERATOR_NAMESPACE."
        )
    return model_key(base64.b64decode(secret["data"]["key"]), namespace, model)
