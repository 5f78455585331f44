"""What a rollout publishes beside the weights: a mirror, a preview, sides that users stick to."""

import re
from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.rollout import AB
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import DESIRED_ANNOTATION, preview_host, preview_route_name, sticky_policy_name
from modelyard.core.resources.routes import routes
from modelyard.core.resources.traffic_policies import COOKIE_SECONDS, STICKY_RULE, Backend, Publication, policies
from modelyard.core.revisions.route_status import mentioned
from modelyard.core.snapshot import Ref
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import a_model, a_serving_world

A, B = Backend("digits-a", "a", 70), Backend("digits-b", "b", 30)
JOINING = (Backend("digits-a", "a", 1_000_000), Backend("digits-b", "b", 1))
BY_COOKIE = Publication(sticky=AB(weight=30, cookie="side"))
BY_HEADER = Publication(sticky=AB(weight=30, header="x-user-id"))
SEALS = ["2aee6b4c76536cca", "5a46683ab1bfe964", "02cc383287f6356f"]
FORMS = ("by host", "by path", "gRPC")


def published(publication: Publication, *backends: Backend) -> dict[str, list[dict[str, Any]]]:
    """The rules of the Model's three routes."""
    published_routes = routes(a_model(), backends or (A, B), GatewaySettings(), publication)
    return {form: route["spec"]["rules"] for form, route in zip(FORMS, published_routes, strict=False)}


def of_each(field: str, rule: dict[str, Any]) -> list[Any]:
    return [backend[field] for backend in rule["backendRefs"]]


def cookie_given(rule: dict[str, Any]) -> list[str]:
    """The cookie each backend of a rule gives, as a browser sends it back; empty for none."""
    changes = [backend["filters"][0]["responseHeaderModifier"] for backend in rule["backendRefs"]]
    return [(change.get("add") or [{"value": ""}])[0]["value"].partition(";")[0] for change in changes]


def matched(rule: dict[str, Any], header: str, value: str) -> bool:
    """As Envoy does it: the whole value has to match."""
    [match] = rule["matches"][0]["headers"]
    if match["name"] != header:
        return False
    return bool(re.fullmatch(match["value"], value)) if match["type"] != "Exact" else match["value"] == value


def test_without_a_wish_the_routes_are_those_that_earlier_releases_wrote() -> None:
    made = routes(a_model(), [A, B], GatewaySettings())

    seals = [route["metadata"]["annotations"][DESIRED_ANNOTATION] for route in made]
    assert seals == SEALS, "an upgrade would rewrite every route"
    assert made == routes(a_model(), [A, B], GatewaySettings(), Publication())


@pytest.mark.parametrize("publication", [Publication(mirror=("digits-b", 10)), BY_COOKIE, BY_HEADER])
def test_rules_that_were_there_keep_their_place_and_their_backends(publication: Publication) -> None:
    plain, changed = published(Publication()), published(publication)

    for form in FORMS:
        for before, after in zip(plain[form], changed[form], strict=False):
            assert before["matches"] == after["matches"]
            assert of_each("name", before) == of_each("name", after)
            assert of_each("weight", before) == of_each("weight", after)


class TestMirror:
    WISH = Publication(mirror=("digits-b", 25))

    @pytest.mark.parametrize(("form", "port"), [("by host", 80), ("by path", 80), ("gRPC", 9000)])
    def test_the_main_rule_copies_a_share_to_the_candidate(self, form: str, port: int) -> None:
        first = published(self.WISH)[form][0]["filters"][0]

        target = {"name": "digits-b-predictor", "port": port}
        assert first == {"type": "RequestMirror", "requestMirror": {"backendRef": target, "percent": 25}}

    def test_the_path_is_cut_off_as_before(self) -> None:
        main = published(self.WISH)["by path"][0]

        assert [route_filter["type"] for route_filter in main["filters"]] == ["RequestMirror", "URLRewrite"]

    def test_pinned_requests_are_not_copied(self) -> None:
        for rules in published(self.WISH).values():
            assert all(
                route_filter["type"] != "RequestMirror"
                for rule in rules[1:]
                for route_filter in rule.get("filters", [])
            )

    def test_a_revision_without_a_service_gets_no_copies(self) -> None:
        assert published(self.WISH, A) == published(Publication(), A)

    def test_a_service_that_gets_copies_is_still_named(self) -> None:
        snapshot = a_serving_world().snapshot()
        rule = published(self.WISH)["by host"][0]
        rule["backendRefs"] = rule["backendRefs"][:1]
        mirroring = {Ref("HTTPRoute", "demo", "digits"): {"kind": "HTTPRoute", "spec": {"rules": [rule]}}}

        assert mentioned(replace(snapshot, children=mirroring), "digits-b-predictor")
        assert not mentioned(replace(snapshot, children=mirroring), "digits-c-predictor")


class TestPreview:
    WISH = Publication(preview="digits-b")

    def test_it_has_a_host_of_its_own_over_http_and_grpc(self) -> None:
        made = routes(a_model(), [A, B], GatewaySettings(), self.WISH)[3:]

        assert [(route["kind"], route["metadata"]["name"]) for route in made] == [
            ("HTTPRoute", preview_route_name("digits")),
            ("GRPCRoute", preview_route_name("digits")),
        ]
        assert {host for route in made for host in route["spec"]["hostnames"]} == {"digits--preview.demo.models.local"}
        assert preview_host("digits", "demo", "models.local") == "digits--preview.demo.models.local"

    def test_the_candidate_alone_answers(self) -> None:
        for route in routes(a_model(), [A, B], GatewaySettings(), self.WISH)[3:]:
            [rule] = route["spec"]["rules"]
            assert [backend["name"] for backend in rule["backendRefs"]] == ["digits-b-predictor"]
            assert "headers" not in rule["matches"][0]

    def test_the_routes_of_the_model_stay_as_they_are(self) -> None:
        made = routes(a_model(), [A, B], GatewaySettings(), self.WISH)

        assert made[:3] == routes(a_model(), [A, B], GatewaySettings())

    def test_a_revision_without_a_service_is_not_previewed(self) -> None:
        assert len(routes(a_model(), [A], GatewaySettings(), self.WISH)) == 3


class TestByCookie:
    @pytest.mark.parametrize("form", FORMS)
    def test_the_first_answer_says_the_side_and_the_cookie_keeps_it(self, form: str) -> None:
        main, *_, to_a, to_b = published(BY_COOKIE)[form]
        side_a, side_b = cookie_given(main)

        sent = [[matched(rule, "cookie", side) for rule in (to_a, to_b)] for side in (side_a, side_b)]
        assert sent == [[True, False], [False, True]]
        assert [backend["name"] for backend in to_a["backendRefs"]] == ["digits-a-predictor"]
        assert [backend["name"] for backend in to_b["backendRefs"]] == ["digits-b-predictor"]

    @pytest.mark.parametrize("around", ["{}", "theme=dark; {}", "{}; lang=de", "a=1; {};b=2", "a=1;{}"])
    def test_it_is_found_among_others(self, around: str) -> None:
        main, *_, to_a, to_b = published(BY_COOKIE)["by host"]
        _, side_b = cookie_given(main)

        assert matched(to_b, "cookie", around.format(side_b))
        assert not matched(to_a, "cookie", around.format(side_b))

    @pytest.mark.parametrize("around", ["other{}", "{}x", "x={}", "besides; {}0"])
    def test_another_cookie_that_looks_like_it_is_not(self, around: str) -> None:
        main, *_, to_a, _ = published(BY_COOKIE)["by host"]
        side_a, _ = cookie_given(main)

        assert not matched(to_a, "cookie", around.format(side_a))

    def test_models_on_one_host_do_not_share_it(self) -> None:
        rules = published(BY_COOKIE)
        cookies = {
            form: rules[form][0]["backendRefs"][0]["filters"][0]["responseHeaderModifier"]["add"][0]["value"]
            for form in FORMS
        }

        assert "Path=/demo/digits/;" in cookies["by path"]
        assert "Path=/;" in cookies["by host"]
        assert all(f"Max-Age={COOKIE_SECONDS}" in value for value in cookies.values())

    def test_the_side_in_one_test_says_nothing_about_the_next(self) -> None:
        earlier = cookie_given(published(BY_COOKIE)["by host"][0])
        later = published(BY_COOKIE, Backend("digits-c", "a", 50), B)["by host"]

        assert not any(matched(rule, "cookie", side) for rule in later[3:] for side in earlier)

    def test_pinned_requests_stay_pinned(self) -> None:
        pinned = published(BY_COOKIE)["by host"][1:3]

        assert [rule["matches"][0]["headers"][0]["type"] for rule in pinned] == ["Exact", "Exact"]

    def test_no_policy_is_needed(self) -> None:
        assert policies(a_model(), BY_COOKIE) == []


class TestByHeader:
    @pytest.mark.parametrize("form", FORMS)
    def test_requests_that_name_their_user_are_split_by_a_rule_of_their_own(self, form: str) -> None:
        main, *_, named = published(BY_HEADER)[form]

        assert matched(named, "x-user-id", "somebody")
        assert named["name"] == STICKY_RULE
        assert named["backendRefs"] == main["backendRefs"]
        assert [backend["weight"] for backend in named["backendRefs"]] == [70, 30]

    def test_nobody_is_given_a_cookie(self) -> None:
        assert all(cookie_given(rules[0]) == ["", ""] for rules in published(BY_HEADER).values())

    def test_the_policy_hashes_the_header_for_that_rule_alone(self) -> None:
        [policy] = policies(a_model(), BY_HEADER)

        balanced = policy["spec"]["loadBalancer"]["consistentHash"]
        assert balanced == {"type": "Headers", "headers": [{"name": "x-user-id"}]}
        assert [(target["kind"], target["name"], target["sectionName"]) for target in policy["spec"]["targetRefs"]] == [
            ("HTTPRoute", "digits", STICKY_RULE),
            ("HTTPRoute", "digits--path", STICKY_RULE),
            ("GRPCRoute", "digits", STICKY_RULE),
        ]
        assert policy["apiVersion"] == BY_NAME["BackendTrafficPolicy"].api_version
        assert policy["metadata"]["name"] == sticky_policy_name("digits")


@pytest.mark.parametrize("publication", [BY_COOKIE, BY_HEADER])
class TestComingAndGoing:
    def test_while_a_side_joins_or_leaves_its_rules_are_there_and_match_nobody(self, publication: Publication) -> None:
        ready, serving = published(publication, *JOINING), published(publication)

        for form in FORMS:
            assert len(ready[form]) == len(serving[form])
            assert all(rule["matches"][0]["headers"][0]["type"] == "Exact" for rule in ready[form][1:])
            assert cookie_given(ready[form][0]) == ["", ""], "whoever came first would all be on one side"
            for before, after in zip(ready[form][3:], serving[form][3:], strict=True):
                assert of_each("name", before) == of_each("name", after)

    def test_a_side_without_weight_has_no_such_rules(self, publication: Publication) -> None:
        for backends in [(A,), (B,), (Backend("digits-a", "a", 100), Backend("digits-b", "b", 0))]:
            assert published(publication, *backends) == published(Publication(), *backends)

    def test_the_smallest_share_is_a_share(self, publication: Publication) -> None:
        rules = published(publication, Backend("digits-a", "a", 99), Backend("digits-b", "b", 1))["by host"]

        assert rules[3]["matches"][0]["headers"][0]["type"] == "RegularExpression"
