"""What can go wrong, as a tree.

    ModelyardError
    ├── UserError            the person who asked can mend it; never retried; exit code 2
    │   ├── InvalidModel         a Model's fields contradict each other
    │   ├── UnknownEntry         no such entry, version or alias in the registry
    │   ├── InvalidEntry         an entry folder or file that cannot be served
    │   ├── EntryExists          a pushed version is never changed
    │   ├── CorruptEntry         stored bytes do not match their digest
    │   ├── SignatureMissing     nobody who is trusted has signed it
    │   ├── SignatureInvalid     it is not what was signed
    │   ├── InvalidKey           a key that cannot be used
    │   ├── UnsupportedModel     a model file no backend here can run
    │   ├── InvalidInput         a prediction input that does not fit the model
    │   ├── NotOffered           a question that the model or its server has no answer for
    │   ├── BudgetTooSmall       an optimization was given less time than its model needs
    │   └── InvalidSettings      configuration that cannot be used
    └── OutsideError         the world outside failed; retried with backoff; exit code 1
        ├── Unreachable          nothing answered
        ├── DeadlineExceeded     no answer within the time that its caller allowed
        ├── Conflict             somebody else wrote first
        ├── Throttled            asked to come back later
        ├── RegistryUnreachable  what MLflow has cannot be known now
        ├── NotSynced            asked for, and not brought in from MLflow yet
        ├── Refused              answered, and said no (credentials, permissions)
        └── HostFailure          the machine failed a program: a signal, memory, disk, a lock, time; exit code 75

Each message is one sentence that names the thing and says what to do. Waiting is not an error.
"""


class ModelyardError(Exception):
    """Root of everything Modelyard raises on purpose; `reason` is the CamelCase word conditions use."""

    @property
    def reason(self) -> str:
        """The word for a condition's `reason`: the name of the class."""
        return type(self).__name__


class UserError(ModelyardError):
    """A mistake of the person who asked; retrying changes nothing."""


class InvalidModel(UserError):
    """A Model whose fields contradict each other."""


class UnknownEntry(UserError):
    """No such entry, version or alias in the registry."""


class InvalidEntry(UserError):
    """An entry folder or a model file that cannot be served as it is."""


class EntryExists(UserError):
    """A pushed version is immutable and the new content differs."""


class CorruptEntry(UserError):
    """Stored bytes do not match the digest recorded when they were pushed."""


class SignatureMissing(UserError):
    """Nobody who is trusted here has signed an entry or a build."""


class SignatureInvalid(UserError):
    """An entry or a build is not what somebody signed, or the signature is damaged."""


class InvalidKey(UserError):
    """A key that is missing, unreadable, of another kind, or readable by others."""


class UnsupportedModel(UserError):
    """A readable model that no backend here can run."""


class InvalidInput(UserError):
    """A prediction input that does not fit the model."""


class NotOffered(UserError):
    """A question that the model, or the server it runs in, has no answer for."""


class BudgetTooSmall(UserError):
    """Less time than an optimization of this model needs."""


class InvalidSettings(UserError):
    """Configuration that is missing or cannot be used."""


class OutsideError(ModelyardError):
    """Something outside failed; the same call may succeed later."""


class Unreachable(OutsideError):
    """Nothing answered, or only a server error (5xx) came back."""


class DeadlineExceeded(OutsideError):
    """No answer within the time that its caller, or the gateway, allowed; it may have been computed all the same."""


class RegistryUnreachable(OutsideError):
    """MLflow has not answered those who bring its models in."""


class NotSynced(OutsideError):
    """A model of MLflow's that has not been brought in yet."""


class Conflict(OutsideError):
    """Somebody else wrote first; read again and repeat."""


class Throttled(OutsideError):
    """The other side is too busy and asked for a later retry (HTTP 429, S3 SlowDown)."""


class Refused(OutsideError):
    """The other side answered and said no: credentials or permissions."""


class HostFailure(OutsideError):
    """The machine failed a program that worked on a model: the model is not to blame, and another try may do.

    `reason` is a reason word of `core.failure_causes`, which knows them all.
    """

    def __init__(self, reason: str, message: str) -> None:
        self._reason = reason
        super().__init__(message)

    @property
    def reason(self) -> str:
        """The word that the constructor got."""
        return self._reason
