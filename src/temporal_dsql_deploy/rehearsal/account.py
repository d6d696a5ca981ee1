"""What the emulated account has before the deployment comes: the images, as if they were pushed."""

import hashlib
import json
import re
from collections.abc import Iterable

from temporal_dsql_deploy import aws

_ECR = re.compile(
    r"\d{12}\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:\w+))?"
)


def have_images(names: Iterable[str]) -> None:
    """Make a record of each image that is named in Amazon ECR; there is nothing in it to pull."""
    for name in names:
        found = _ECR.fullmatch(name)
        if found is None or found["digest"]:
            continue
        client = aws.client("ecr", found["region"])
        with aws.calling(f"make a record of {name} (ecr:CreateRepository, ecr:PutImage)"):
            there = client.describe_repositories()["repositories"]
            if found["repository"] not in {one["repositoryName"] for one in there}:
                client.create_repository(repositoryName=found["repository"])
            client.put_image(
                repositoryName=found["repository"],
                imageTag=found["tag"] or "latest",
                imageManifest=_manifest(name),
            )


def _manifest(name: str) -> str:
    digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": digest,
    }
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []})
