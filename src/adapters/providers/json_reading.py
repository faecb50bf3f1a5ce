"""What all readers of providers' JSON share."""

import msgspec

# What decoding raises for bytes that are no JSON, or JSON nested too deeply to be taken for it.
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
