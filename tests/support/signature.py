"""AWS Signature Version 4, computed by hand: what AWS would compute from a request."""

import hashlib
import hmac


def signature(secret: str, scope: str, time: str, canonical: str) -> str:
    """Of a canonical request, in hex.

    `scope` is DAY/REGION/SERVICE/aws4_request, `time` the request's X-Amz-Date.
    """
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", time, scope, digest])
    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()
