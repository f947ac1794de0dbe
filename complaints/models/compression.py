"""Raw mail in the row: zstd, with the site's own dictionary once there is one (PERFORMANCE: 3.7 times smaller)."""

from __future__ import annotations

from functools import lru_cache

import zstandard

LEVEL = 3
PLAIN = zstandard.ZstdCompressor(level=LEVEL)


def dictionary_of(pk: int) -> zstandard.ZstdCompressionDict:
    from complaints.models.messages import CompressionDictionary

    return zstandard.ZstdCompressionDict(bytes(CompressionDictionary.objects.get(pk=pk).data))


@lru_cache(maxsize=2)
def compressor(dictionary: int | None) -> zstandard.ZstdCompressor:
    return PLAIN if dictionary is None else zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary_of(dictionary))


@lru_cache(maxsize=16)
def decompressor(dictionary: int | None) -> zstandard.ZstdDecompressor:
    return (
        zstandard.ZstdDecompressor(dict_data=dictionary_of(dictionary)) if dictionary else zstandard.ZstdDecompressor()
    )


def pack(raw: bytes, dictionary: int | None = None) -> bytes:
    return compressor(dictionary).compress(raw)


def unpack(packed: bytes, dictionary: int | None = None) -> bytes:
    return decompressor(dictionary).decompress(bytes(packed))
