"""Makes the bucket of the embedded store, and is content when it is there already."""

import os
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ATTEMPTS = 120
MADE_BEFORE = {"BucketAlreadyExists", "BucketAlreadyOwnedByYou"}

client = boto3.client(
    "s3",
    endpoint_url=os.environ["ENDPOINT"],
    region_name=os.environ["REGION"],
    aws_access_key_id=os.environ["ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["SECRET_ACCESS_KEY"],
)
for attempt in range(1, ATTEMPTS + 1):
    try:
        client.create_bucket(Bucket=os.environ["BUCKET"])
        break
    except ClientError as refused:
        if refused.response["Error"]["Code"] in MADE_BEFORE:
            break
        reason = refused
    except BotoCoreError as unreachable:
        reason = unreachable
    if attempt == ATTEMPTS:
        raise SystemExit(f"the bucket cannot be made: {reason}")
    time.sleep(1)
print(f"bucket {os.environ['BUCKET']} is there")
