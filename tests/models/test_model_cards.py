from models.model_cards import flat_metrics, key_metric, model_card, told

KNOWN = {"name": "open", "version": "3", "kind": "highlight", "description": "Learned.", "licence": "Apache-2.0"}


def test_the_key_metric_is_the_first_top_3_f1_wherever_it_stands():
    metrics = {"loss": 0.4, "vt-ssum dev": {"pk": 12, "top3_f1": 45.6}, "other": {"top3_f1": 50.0}}
    assert key_metric({"metrics": metrics}) == ("vt-ssum dev/top3_f1", 45.6)


def test_without_a_top_3_f1_the_first_number_is_shown():
    assert key_metric({"metrics": {"note": "on dev", "tuned": True, "pk": 12}}) == ("pk", 12.0)


def test_a_manifest_without_figures_has_no_key_metric():
    assert [key_metric(manifest) for manifest in ({}, {"metrics": {}}, {"metrics": None}, {"metrics": "good"})] == [
        None
    ] * 4


def test_metrics_of_many_levels_keep_their_order():
    assert list(flat_metrics({"metrics": {"b": {"y": 1, "x": {"z": 2}}, "a": 3}}).items()) == [
        ("b/y", 1), ("b/x/z", 2), ("a", 3),
    ]  # fmt: skip


def test_a_card_says_what_the_manifest_says():
    parent = {"name": "open", "version": "2", "sha256": "ab"}
    card = model_card(
        {
            **KNOWN,
            "parent": parent,
            "trained_on": ["AMI (CC BY 4.0)"],
            "metrics": {"a|b": 1.23456},
            "consent": "One.\n\nTwo.",
        }
    )
    lines = card.splitlines()
    assert lines[0] == "# open 3"
    assert {"Learned.", "| Made from | open@2 |", "- AMI (CC BY 4.0)", "| a\\|b | 1.235 |", "Apache-2.0"} <= set(lines)
    assert "> One.\n>\n> Two." in card


def test_a_card_does_not_claim_what_the_manifest_leaves_out():
    card = model_card(KNOWN)
    assert "did not say on what" in card
    assert "No figure was recorded." in card
    assert "agree" not in card


def test_values_are_told_on_one_line():
    assert told({"name": "minilm", "revision": None, "dims": [1, 2.5]}) == "name minilm, revision None, dims 1, 2.5"
    assert told("two\n lines") == "two lines"
