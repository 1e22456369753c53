"""`push`: where a blessed model goes."""

from pydantic import Field

from configs.schema.base import Slice


class PushConfig(Slice):
    enabled: bool = True
    destination: str | None = Field(
        None,
        description="folder of served models, or a URL of tf.io.gfile such as gs://BUCKET/models; null: the workspace's models/",
    )
