"""Directories in an S3 bucket, by s3fs: `s3.storage.skerry.dev`.

Files are uploaded when they are closed or fsynced, so that both say whether they have arrived. Any user of a pod may
read and write, unless the class says `umask`. s3fs has no right to mount: `fusermount.py` gives it its connection.
Source: s3fs(1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from skerry.engine.storage.drivers.remote import options
from skerry.engine.storage.drivers.remote.addresses import checked_address, host_of
from skerry.engine.storage.drivers.remote.daemon import Program
from skerry.engine.storage.drivers.remote.driver import Mounting, ServerDriver, needed
from skerry.engine.storage.drivers.remote.places import Place, check_known, chosen, flag, refused
from skerry.engine.storage.drivers.remote.servers import check_permitted

_PARAMETERS = ("endpoint", "bucket", "region", "pathStyle", "insecure", "anonymous")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_KEY = re.compile(r"[^\s:]+")
_ALLOWED: options.Allowed = {
    "uid": options.NUMBER,
    "gid": options.NUMBER,
    "umask": options.OCTAL,
    "connect_timeout": options.SECONDS,
    "readwrite_timeout": options.SECONDS,
    "retries": re.compile(r"[1-9]"),
    "max_stat_cache_size": options.NUMBER,
    "stat_cache_expire": options.NUMBER,
    "multipart_size": options.NUMBER,
    "parallel_count": options.NUMBER,
    "storage_class": options.WORD,
    "nocopyapi": options.NOTHING,
    "complement_stat": options.NOTHING,
}


_COMPLAINTS = (
    ("SignatureDoesNotMatch", "UNAUTHENTICATED", "it does not accept the Secret's key"),
    ("InvalidAccessKeyId", "UNAUTHENTICATED", "it does not know the Secret's key"),
    ("AccessDenied", "PERMISSION_DENIED", "it forbids the bucket to the Secret's key"),
    ("invalid credentials", "UNAUTHENTICATED", "it does not accept the Secret's key"),
    ("not found(host", "NOT_FOUND", "there is no such bucket or directory"),
    ("NoSuchBucket", "NOT_FOUND", "there is no such bucket"),
    ("unable to connect", "UNAVAILABLE", "it does not answer"),
    ("host could not be resolved", "UNAVAILABLE", "its name is not known"),
)


class S3Driver(ServerDriver):
    """Claims are directories (prefixes) in `bucket`."""

    name: str = "s3.storage.skerry.dev"
    server: ClassVar[str] = "S3 server"
    complaints = _COMPLAINTS

    async def fields(self, parameters: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, str]:
        """Address, bucket and how to speak to it. Raises StorageError."""
        check_known(parameters, _PARAMETERS)
        endpoint, by_secret = chosen("endpoint", parameters, secrets)
        insecure = flag(parameters, "insecure")
        endpoint = checked_address("endpoint", endpoint, insecure=insecure)
        if by_secret:
            await check_permitted(host_of(endpoint), parameters)
        bucket, _ = chosen("bucket", parameters, secrets)
        said = {"insecure": insecure, "anonymous": flag(parameters, "anonymous")}
        said["hostStyle"] = "pathStyle" in parameters and not flag(parameters, "pathStyle")
        flags = {name: "true" for name, value in said.items() if value}
        return {"endpoint": endpoint, "bucket": bucket, "region": parameters.get("region", "us-east-1"), **flags}

    def program(self, mounting: Mounting) -> Program:
        """s3fs, with the key in a file."""
        where, secrets = mounting.place.fields, mounting.secrets
        bucket, region = where.get("bucket", ""), where.get("region", "us-east-1")
        if not _BUCKET.fullmatch(bucket) or not _REGION.fullmatch(region):
            raise refused(f"bucket {bucket!r} or region {region!r} is not possible")
        asked = {
            "url": checked_address("endpoint", where.get("endpoint", ""), insecure=flag(where, "insecure")),
            "endpoint": region,
            "allow_other": "",
            "connect_timeout": "10",
            "readwrite_timeout": "15",
            "retries": "2",
            "tmpdir": "/disk",
            "umask": "000",
            **options.allowed_options(mounting.use.mount_options, _ALLOWED),
        }
        asked |= {} if flag(where, "hostStyle") else {"use_path_request_style": ""}
        files: dict[str, bytes] = {}
        if flag(where, "anonymous"):
            asked["public_bucket"] = "1"
        else:
            files["key"], asked["passwd_file"] = _key_file(secrets), "/own/key"
        if secrets.get("ca.crt"):
            files["ca.crt"] = secrets["ca.crt"].encode()
        place = f"{bucket}:/{mounting.directory}" if mounting.directory else bucket
        return Program(
            kind="s3fs",
            package="s3fs",
            command=["s3fs", place, "/mnt", "-f", "-o", options.joined(asked)],
            files=files,
            environment={"CURL_CA_BUNDLE": "/own/ca.crt"} if "ca.crt" in files else {},
            asks_fusermount=True,
            read_only=mounting.read_only,
        )

    def mode(self, place: Place) -> int:
        """Kept in the bucket, for s3fs alone."""
        return 0o777


def _key_file(secrets: Mapping[str, str]) -> bytes:
    identity = needed(secrets, "accessKeyID", "AWS_ACCESS_KEY_ID", "access_key")
    key = needed(secrets, "secretAccessKey", "AWS_SECRET_ACCESS_KEY", "secret_key")
    if not _KEY.fullmatch(identity) or not _KEY.fullmatch(key):
        raise refused("the Secret's key must have neither white space nor colons")
    return f"{identity}:{key}\n".encode()
