"""Clients of the emulator, as whoever deploys and looks uses them."""

import functools

import boto3
from botocore.config import Config

from .emulator import REGION

CONFIG = Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=120)


class Aws:
    """boto3, pointed at one address."""

    def __init__(self, url: str):
        self.url = url
        self.environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    @functools.cache
    def client(self, service: str):
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION,
            aws_access_key_id="test", aws_secret_access_key="test", config=CONFIG,
        )
