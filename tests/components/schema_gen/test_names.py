"""Class names travel inside the Schema."""

from tensorflow_metadata.proto.v0 import schema_pb2

from components import keys, targets
from components.schema_gen.names import changes, class_names, describe_changes, forget_values

LABEL = targets.of(keys.LABEL)


def schema(*features) -> schema_pb2.Schema:
    made = schema_pb2.Schema()
    for name in features:
        made.feature.add(name=name, type=schema_pb2.INT if name == keys.LABEL else schema_pb2.BYTES)
    return made


def test_names_come_back_in_the_order_of_their_labels():
    made = schema(keys.EXAMPLE_ID, keys.LABEL)
    LABEL.describe(made, ["zero", "one", "ten"])
    assert class_names(schema_pb2.Schema.FromString(made.SerializeToString())) == {keys.LABEL: ["zero", "one", "ten"]}
    [domain] = [feature.int_domain for feature in made.feature if feature.name == keys.LABEL]
    assert (domain.min, domain.max, domain.is_categorical) == (0, 2, True)


def test_without_labels_or_without_names_there_are_none():
    for made, names in ((schema(keys.EXAMPLE_ID), ["a"]), (schema(keys.LABEL), [])):
        before = made.SerializeToString()
        LABEL.describe(made, names)
        assert made.SerializeToString() == before
        assert class_names(made) == {}


def test_what_was_done_to_images_comes_back_and_replaces_what_stood_there():
    made = schema(keys.EXAMPLE_ID)
    before = made.SerializeToString()
    describe_changes(made, {})
    assert made.SerializeToString() == before
    assert changes(made) == {}
    made.annotation.tag.append("a person's own")
    describe_changes(made, {"turned": 3, "16_bits": 2})
    describe_changes(made, {"turned": 5})
    assert changes(schema_pb2.Schema.FromString(made.SerializeToString())) == {"turned": 5}
    assert "a person's own" in made.annotation.tag


def test_the_ids_of_training_are_not_the_only_ones_allowed():
    made = schema(keys.EXAMPLE_ID, keys.LABEL)
    made.feature[0].domain = keys.EXAMPLE_ID
    made.feature[0].distribution_constraints.min_domain_mass = 1.0
    made.string_domain.add(name=keys.EXAMPLE_ID, value=["a", "b"])
    LABEL.describe(made, ["cat", "dog"])
    forget_values(made)
    assert not made.feature[0].HasField("domain")
    assert not made.feature[0].HasField("distribution_constraints")
    assert [domain.name for domain in made.string_domain] == [keys.LABEL]
    assert class_names(made) == {keys.LABEL: ["cat", "dog"]}
