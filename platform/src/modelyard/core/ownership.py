"""Whose an object is: asked before every write, because a name alone makes nothing ours.

| object | ours when |
|---|---|
| what we make for a Model, in its namespace | its owner references name this very Model (uid) |
| Jobs, in the platform's namespace, where no Model can own them | it has our labels and the digest of what we wanted |
| Deployments and Services of a revision | an InferenceService that is ours owns them |

Everything else is somebody else's: it is not written, not scaled, not deleted, and does not count as a child. A person
hands an object over with the annotation or label `modelyard.dev/adopt: "true"`, unless another controller still owns
it; a Job cannot be handed over, because what it runs cannot be changed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from modelyard.api.model import KIND, Model

from .kinds import BY_NAME
from .names import (
    ADOPT_MARK,
    BUILD_LABEL,
    CHECK_LABEL,
    DESIRED_ANNOTATION,
    MANAGED_BY,
    RETRAIN_LABEL,
    main_routes,
    secret_name,
    service_account_name,
)
from .snapshot import Failure, ForeignObject, Object, Ref, Snapshot

NAME_TAKEN = "NameTaken"
OBJECT_REFUSED = "ObjectRefused"
RECHECK_SECONDS = 10.0
"""How often a name that was taken is asked for again."""
IDENTITY_KINDS = frozenset({"Secret", "ServiceAccount"})
"""As whom pods run, and with which keys."""
LINGER_SECONDS = 2 * RECHECK_SECONDS
"""How much longer it is remembered what nobody found again."""
_LONGEST_SECONDS = 60.0
"""Between two tries to write what the API server refuses."""
_OF_REVISIONS = ("Deployment", "Service")
_ASKED_AGAIN = (NAME_TAKEN, OBJECT_REFUSED)


def fixed_names(model: Model) -> tuple[Ref, ...]:
    """What every Model needs under a name that follows from its own; revisions and Jobs have digests in theirs."""
    name, namespace = model.name, model.namespace
    return (
        *(Ref(kind, namespace, route) for kind, route in main_routes(name)),
        *sorted(identity(model)),
    )


def identity(model: Model) -> frozenset[Ref]:
    """As whom a Model's pods run: they are not started before both are there and ours."""
    secret = Ref("Secret", model.namespace, secret_name(model.name))
    return frozenset({secret, Ref("ServiceAccount", model.namespace, service_account_name(model.name))})


class NamesToAsk(NamedTuple):
    """Names to ask whose they are before anything is written, and names that are known not to be ours.

    `claims` are all fixed names of a Model that nothing was made for yet, and none of its objects is written unless
    they are free; `rechecks` were taken and are needed later; `held` are taken or refused, and it is too early to ask
    again; `refused` are those of them that the API server does not take, even if an older state of them is there.
    `wait` are the seconds until the next one is due, 0 or less when it is, None when there is none to ask for.
    """

    claims: tuple[Ref, ...] = ()
    rechecks: tuple[Ref, ...] = ()
    held: frozenset[Ref] = frozenset()
    wait: float | None = None
    refused: frozenset[Ref] = frozenset()


def names_to_ask(snapshot: Snapshot, desired: Collection[Ref], touched: Collection[Ref] = ()) -> NamesToAsk:
    """The names to ask for now, when the Model should have the `desired` objects; the children are its own.

    `touched` are those of them that are to be scaled or deleted.
    What has lost its host to a route of others is not asked for: a watch tells of these. What was refused is not asked
    for either, but written again.
    """
    fixed, first = fixed_names(snapshot.model), not begun(snapshot)
    kept = {ref: foreign for ref, foreign in snapshot.foreign.items() if foreign.refusal.reason in _ASKED_AGAIN}
    refused = {ref for ref, foreign in kept.items() if foreign.refusal.reason == OBJECT_REFUSED}
    rests = {ref: foreign.seen + asked_again(foreign) - snapshot.now for ref, foreign in kept.items()}
    waits = {ref: rest for ref, rest in rests.items() if ref in {*fixed, *desired, *touched}}
    due = [ref for ref, wait in sorted(waits.items()) if wait <= 0]
    held = {ref for ref in snapshot.foreign if ref not in kept or waits.get(ref, 0.0) > 0}
    asked = [rest for ref, rest in rests.items() if rest > 0 or (ref in waits and ref not in refused)]
    return NamesToAsk(
        fixed if first and desired and (not waits or due) else (),
        tuple(ref for ref in due if ref not in refused and ref not in (fixed if first else desired)),
        frozenset(held),
        min((*asked, *_until_forgotten(rests.values())), default=None),
        frozenset(held & refused),
    )


def asked_again(foreign: ForeignObject) -> float:
    """Seconds after which it is seen to again whether an object may be written: ever more of one that is refused."""
    if foreign.refusal.reason != OBJECT_REFUSED:
        return RECHECK_SECONDS
    return min(RECHECK_SECONDS * 2.0 ** min(foreign.times - 1, 10), _LONGEST_SECONDS)


def _until_forgotten(rests: Iterable[float]) -> list[float]:
    """Seconds until what is due, and perhaps not needed any more, is not remembered either: then no status says it."""
    return [rest + LINGER_SECONDS for rest in rests if -LINGER_SECONDS < rest <= 0]


def begun(snapshot: Snapshot) -> bool:
    """Whether anything was made in the Model's namespace; until then it begins with nothing unless it may have all."""
    return any(BY_NAME[kind].made and kind != "Job" for kind, _, _ in snapshot.children)


def ours(thing: Object, uid: str) -> bool:
    """Whether an object of a kind that we make was made for the Model with that uid, or is a Job of ours."""
    metadata = thing["metadata"]
    if thing["kind"] != "Job":
        return any(owner.get("uid") == uid for owner in metadata.get("ownerReferences", ()))
    labels = metadata.get("labels", {})
    managed = all(labels.get(label) == value for label, value in MANAGED_BY.items())
    purpose = not labels.keys().isdisjoint((BUILD_LABEL, CHECK_LABEL, RETRAIN_LABEL))
    return managed and purpose and DESIRED_ANNOTATION in metadata.get("annotations", {})


def refusal(thing: Object, model: Mapping[str, Any]) -> Failure | None:
    """Why an object that stands under a name we need may not be written; None when it is ours or was handed over.

    Of `thing` only kind and metadata are read; `model` is the metadata of the Model. The failure passes by
    itself (`retry`) when the object is on its way out.
    """
    metadata = thing["metadata"]
    if ours(thing, model["uid"]):
        return None
    where = f"{thing['kind']} {metadata['namespace']}/{metadata['name']}"
    if "deletionTimestamp" in metadata or _of_an_earlier(thing, model):
        return Failure(NAME_TAKEN, f"{where} is still being removed; this Model's own follows.", retry=True)
    controller = next((owner for owner in metadata.get("ownerReferences", ()) if owner.get("controller")), None)
    if controller is not None:
        whose = f"it belongs to {controller['kind']} {controller['name']}"
        return Failure(NAME_TAKEN, f"{where} is not this Model's: {whose}; give the Model another name.")
    if thing["kind"] == "Job":
        return Failure(NAME_TAKEN, f"{where} belongs to somebody else and is left as it is: remove or rename it.")
    if "true" in (metadata.get(marks, {}).get(ADOPT_MARK) for marks in ("annotations", "labels")):
        return None
    return Failure(
        NAME_TAKEN,
        f"{where} belongs to somebody else and is left as it is: rename or remove it, give the Model another name, or "
        f'hand it over with the annotation {ADOPT_MARK}: "true".',
    )


def _of_an_earlier(thing: Object, model: Mapping[str, Any]) -> bool:
    """A Model of the same name that is gone owned it: Kubernetes collects it."""
    owners = thing["metadata"].get("ownerReferences", ())
    return any((owner.get("kind"), owner.get("name")) == (KIND, model["name"]) for owner in owners)


def object_refused(verb: str, ref: Ref, said: str) -> Failure:
    """That the API server refuses to write, scale or delete an object, with what it says; it passes by itself."""
    what, why = f"{verb} {ref.kind} {ref.namespace}/{ref.name}", said.strip().rstrip(".")
    message = f"The API server refuses to {what}: {why}; it is tried again by itself."
    return Failure(OBJECT_REFUSED, message, retry=True)


def taken_names(foreign: Mapping[Ref, ForeignObject]) -> Failure | None:
    """The first name that is taken, with its refusal and the others' names; None when none is.

    Names that others hold come before objects that the API server refuses.
    """
    if not foreign:
        return None
    refused = {ref for ref, known in foreign.items() if known.refusal.reason == OBJECT_REFUSED}
    first, *others = sorted(foreign, key=lambda ref: (ref in refused, ref))
    more = ", ".join(f"{ref.kind} {ref.namespace}/{ref.name}" for ref in others)
    failure, said = foreign[first].refusal, "Not written either" if refused else "Taken as well"
    return replace(failure, message=f"{failure.message} {said}: {more}.") if more else failure


def with_own_children(snapshot: Snapshot) -> Snapshot:
    """The snapshot without children that only look like this Model's; the same object when there are none."""
    uid = snapshot.model.metadata["uid"]
    made = {ref for ref, thing in snapshot.children.items() if BY_NAME[ref.kind].made and ours(thing, uid)}
    revisions = {snapshot.children[ref]["metadata"]["uid"] for ref in made if ref.kind == "InferenceService"}
    children = {
        ref: thing
        for ref, thing in snapshot.children.items()
        if (ref in made if BY_NAME[ref.kind].made else ref.kind not in _OF_REVISIONS or _served(thing, revisions))
    }
    return snapshot if len(children) == len(snapshot.children) else replace(snapshot, children=children)


def _served(thing: Object, revisions: set[str]) -> bool:
    """KServe made it for one of the InferenceServices with these uids."""
    return any(owner["uid"] in revisions for owner in thing["metadata"].get("ownerReferences", ()))
