"""What travels between station and city: types, their bytes, and what makes them count.

The contract is ``sync/asyncapi.yaml``; its schemas are generated from the types here.
"""

from sync.messages.ack import Ack, AckError, ack_message, decode_ack, encode_ack, verify_ack
from sync.messages.batch import (
    Batch,
    BatchEntry,
    batch_message,
    decode_batch,
    encode_batch,
    room_for,
    unseal_message,
    verify_batch,
)
from sync.messages.commands import Command, Reply
from sync.messages.content import CONTENT_JSON, CONTENT_ZLIB, MAX_PLAIN_BYTES, deflate, inflate
from sync.messages.envelopes import Health, Offline, Online, StationState
from sync.messages.problem import Claim, Malformed
from sync.messages.wire import MAX_ENTRIES, MAX_UNSEALS, Seal, Unseals

__all__ = [
    "CONTENT_JSON",
    "CONTENT_ZLIB",
    "MAX_ENTRIES",
    "MAX_PLAIN_BYTES",
    "MAX_UNSEALS",
    "Ack",
    "AckError",
    "Batch",
    "BatchEntry",
    "Claim",
    "Command",
    "Health",
    "Malformed",
    "Offline",
    "Online",
    "Reply",
    "Seal",
    "StationState",
    "Unseals",
    "ack_message",
    "batch_message",
    "decode_ack",
    "decode_batch",
    "deflate",
    "encode_ack",
    "encode_batch",
    "inflate",
    "room_for",
    "unseal_message",
    "verify_ack",
    "verify_batch",
]
