"""Numbers in the answers of providers, as far as they can be true."""

from typing import Annotated

import msgspec

# Of tokens, in one call. What is beyond that counts nothing, and would cost a fortune.
MOST = 10**9

Count = Annotated[int, msgspec.Meta(le=MOST)]
# Cohere writes its counts as fractions.
FloatCount = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
