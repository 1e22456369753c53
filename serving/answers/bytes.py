"""Bytes of any content, such as a compressed image; {"b64": ...} in JSON, as TF Serving's REST has them."""

import base64

from serving.answers.base import Kind


class Answer(Kind):
    ending = ".bin"
    alone = False

    def json(self, value, about):
        return {"b64": base64.b64encode(value).decode()}

    def line(self, told, about):
        return f"{len(base64.b64decode(told['b64'])):,} bytes"

    def file(self, value, about):
        return bytes(value)
