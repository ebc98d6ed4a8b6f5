"""A digest of what a document shows: equal ones are of equal values, in an equal order.

Beside the mark of a draft (content/mark.py), which people read and which knows no order, this one
is for the program alone: whatever could change a byte of a file changes it.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from reportgen.core.model import Attachment


def digest_of(document: object, attached: Iterable[Attachment] = ()) -> str:
    """Give the sha256 of a document and its attachments; "" for texts that are no Unicode.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    False
    """
    digest = sha256()
    try:
        digest.update(_ENCODER.encode(document))
        for one in attached:
            told = one.name, one.media_type, one.description, one.relationship
            digest.update(_ENCODER.encode((*told, len(one.content))))
            digest.update(one.content)
    except UnicodeEncodeError:
        return ""
    return digest.hexdigest()


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value))


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_as_dict)
