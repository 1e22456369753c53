"""`data`: where images come from and how they are split."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from configs.schema.reading import Reading


def _name_or_label(value: Any) -> Any:
    """Text that YAML takes for something else (no, 1.0, a date) must not become another class."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "" or (isinstance(value, int) and value < 0):
        raise ValueError('a class is its name, in quotes, or its label number from 0: ["1"] is the class called 1, [1] the label 1')
    return value


ClassOf = Annotated[int | str, BeforeValidator(_name_or_label)]
Value = Annotated[int, Field(ge=0, le=65535)]  # of a mask's pixel


class DataConfig(Reading):
    source: str = Field(
        "tfds:digits", pattern=r"^[a-z]+:.+$", description="where images come from, such as tfds:NAME[/CONFIG][:VERSION]"
    )
    validation: float = Field(0.1, gt=0, lt=1, description="share of the images for validation, where the source has no such split")
    test: float = Field(0.2, gt=0, lt=1, description="share of the images for test, where the source has no such split")
    limit: int | None = Field(None, gt=0, description="at most this many images a source split, taken by hash of their id")
    features: dict[Literal["image", "text", "label", "labels", "mask", "objects", "id"], str | list[str] | None] = Field(
        {},
        description="names of the source's own features or columns, where they cannot be guessed; of a table's label also a list "
        "of one-hot columns, label: null for none; and what else is learned: labels, a list of columns of 0 or 1 whose classes an "
        "image may have several of; mask, null for none, of a folder a pattern of paths, of a table also a list of columns, a "
        "class each; objects; beside images text, what is said of each, also a list of a table's columns",
    )
    images: str | None = Field(
        None, description="folder that a table's paths start from, itself from the table's folder; null: the table's folder"
    )
    missing_labels: Literal["drop", "refuse"] = Field(
        "drop", description="images without a label, where a model learns from labels: drop counts them and leaves them out"
    )
    missing_markers: list[str] | None = Field(
        None,
        description="what stands for a missing label in a table or in TFRecords, beside an empty cell; null: what pandas reads as "
        "missing (nan, NA, None, null, ...)",
    )
    masks: Literal["images"] | None = Field(
        None,
        description="images of a folder that are masks of others by names and looks (cat_mask.png beside cat.png); null: left out "
        "and counted; images: images like others",
    )
    mask_classes: dict[Value, Annotated[str, Field(min_length=1)]] | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="value of a mask's pixels -> name of the class that it stands for; values of one name are one class, and an "
        "image whose mask has another value is set aside; null: the source's names, or none",
    )
    mask_ignore: Value | None = Field(
        None, description="value of a mask's pixels that are of no class; null: 255, unless mask_classes names it"
    )
    mask_snap: int = Field(
        0,
        ge=0,
        le=255,
        description="grey values of a mask without a name, so near to one that has a name, are taken for the nearest and counted, "
        "in at most 1 % of its pixels; not what lies half-way between two, nor places of a palette; 0: an image with such a "
        "mask is set aside",
    )
    stratify: bool | Literal["auto"] = Field(
        "auto",
        description="carve the same share of every class; auto: up to 10,000 labelled images, unless an id has several classes",
    )
    downsample: float | None = Field(
        None, ge=1, description="training images of a class, at most this many times those of the rarest; null: all"
    )
    classes: list[ClassOf] | None = Field(
        None,
        min_length=2,
        description="names or label numbers of the source's classes to keep, counted anew in this order; null: all",
    )
    inliers: list[ClassOf] | None = Field(
        None, min_length=1, description="names or label numbers of the classes to train on alone; test is of all"
    )
    pinned_schema: str | None = Field(None, description="file of a Schema to hold the data against; null: inferred from it")
    max_quarantined: float = Field(0.01, ge=0, le=1, description="share of damaged images above which a run stops")
    allow_anomalies: bool = Field(False, description="go on although ExampleValidator found anomalies")

    @property
    def reading(self) -> Reading:
        """The part of it that every graph reads which decodes images."""
        return Reading(ground=self.ground, white=self.white)

    @field_validator("features")
    @classmethod
    def _one_name_each(cls, features):
        features = {what: named for what, named in features.items() if what != "mask" or named is not None}  # taken back
        for what, named in features.items():
            if what == "labels" and not isinstance(named, list):
                raise ValueError("labels takes a list of columns, such as [red, round]; of one column per image, use label")
            if not isinstance(named, str) and what not in ("label", "labels", "mask", "text"):
                raise ValueError(f"{what} takes one name")
            if named is None and what == "text":
                raise ValueError("text takes a name, or a list of columns of what is said of images")
            if isinstance(named, list) and len(set(named)) < max(2, len(named)):
                raise ValueError("a list of columns has two names at least, each once")
        if features.get("label") and "labels" in features:
            raise ValueError("label is one class an image and labels are several; give one of them")
        return features

    @model_validator(mode="after")
    def _of_a_mask(self):
        asked = [name for name in ("mask_classes", "mask_ignore") if getattr(self, name) is not None]
        if asked and "mask" not in self.features:
            raise ValueError(f"{' and '.join(asked)} say what values of masks mean; name the masks: features: {{mask: ...}}")
        if self.mask_snap and not self.mask_classes:
            raise ValueError("mask_snap takes values for the nearest that has a name; name them: mask_classes: {0: ...}")
        if self.mask_classes and self.mask_ignore in self.mask_classes:
            name = self.mask_classes[self.mask_ignore]
            raise ValueError(f"mask_ignore is of no class, and mask_classes names {self.mask_ignore} {name!r}; take one out")
        return self

    @field_validator("classes")
    @classmethod
    def _each_once(cls, classes):
        if classes is not None and len(set(classes)) < len(classes):
            raise ValueError("each class may stand once")
        return classes

    @model_validator(mode="after")
    def _some_are_left_to_train_on(self):
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test must leave images to train on; {self.validation} + {self.test} is 1 or more")
        return self

    @model_validator(mode="after")
    def _one_class_an_image(self):
        asked = [f"downsample: {self.downsample:g}"] if self.downsample is not None else []
        asked += ["stratify: true"] if self.stratify is True else []
        if "labels" in self.features and asked:
            raise ValueError(
                f"{' and '.join(asked)} deal{'' if len(asked) > 1 else 's'} with images by their one class, and those of "
                "features.labels may have several; take it out"
            )
        return self
